"""The policy's section ``privacy`` and the criteria it names."""

import pytest
from pydantic import ValidationError

from anon_spark.errors import InputError, PolicyError
from anon_spark.privacy.alpha_k import AlphaK
from anon_spark.privacy.beta_likeness import BetaLikeness
from anon_spark.privacy.criteria import Privacy, SensitiveDomain, build_criteria
from anon_spark.privacy.delta_disclosure import DeltaDisclosurePrivacy
from anon_spark.privacy.delta_presence import DeltaPresence
from anon_spark.privacy.ground_distance import HierarchicalDistance, OrderedDistance, ValueDistance
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.k_map import KMap
from anon_spark.privacy.l_diversity import DistinctLDiversity, EntropyLDiversity, RecursiveLDiversity
from anon_spark.privacy.t_closeness import TCloseness
from tests.test_criteria import HIERARCHICAL, ORDER, ORDERED, TREE, VALUES, S

DOMAIN = SensitiveDomain(tuple(VALUES))


def test_the_short_form_is_k_and_distinct_l_of_every_sensitive_attribute():
    privacy = Privacy.model_validate({"k": 5, "l": 2})
    assert build_criteria(privacy, {S: DOMAIN}) == [KAnonymity(5), DistinctLDiversity(2, S)]
    assert build_criteria(privacy, {}) == [KAnonymity(5)]
    assert build_criteria(Privacy(l=1), {S: DOMAIN}) == [KAnonymity(5)]


def test_all_that_is_named_must_hold():
    section = {
        "k": 3,
        "l": 3,
        "k_map": 20,
        "presence": {"max": 0.2},
        "sensitive": {
            S: {
                "l": {"distinct": 4, "entropy": 2.5, "recursive": 3, "c": 2},
                "t": {
                    "equal": 0.5,
                    "ordered": 0.2,
                    "order": ORDER,
                    "hierarchical": 0.3,
                    "hierarchy": "illness",
                },
                "alpha": 0.5,
                "beta": {"basic": 2, "enhanced": 1},
                "delta": 1.5,
            },
            "income": {"t": {"ordered": 0.1}},
        },
    }
    privacy = Privacy.model_validate(section)
    assert privacy.needs_population
    assert privacy.hierarchies == {"illness"}
    income = SensitiveDomain(("10", "9.5", None, "200"))
    assert build_criteria(privacy, {S: DOMAIN, "income": income}, {"illness": TREE}) == [
        KAnonymity(3),
        KMap(20),
        DeltaPresence(0, 0.2),
        DistinctLDiversity(4, S),
        EntropyLDiversity(2.5, S),
        RecursiveLDiversity(2, 3, S),
        TCloseness(0.5, S),
        TCloseness(0.2, S, ORDERED),
        TCloseness(0.3, S, HIERARCHICAL),
        AlphaK(0.5, 3, S),
        BetaLikeness(2, S),
        BetaLikeness(1, S, enhanced=True),
        DeltaDisclosurePrivacy(1.5, S),
        DistinctLDiversity(3, "income"),
        TCloseness(0.1, "income", OrderedDistance((2, 1, 0, 3), 4)),
    ]


@pytest.mark.parametrize(
    "section",
    [
        {"k": 1},
        {"l": 0},
        {"kmap": 3},
        {"presence": {"min": 0.5, "max": 0.4}},
        {"sensitive": {S: {"l": {"recursive": 2}}}},
        {"sensitive": {S: {"l": {"distinct": 2, "c": 2}}}},
        {"sensitive": {S: {"l": {}}}},
        {"sensitive": {S: {"t": 1.5}}},
        {"sensitive": {S: {"t": {"hierarchical": 0.2}}}},
        {"sensitive": {S: {"t": {"equal": 0.2, "order": ["a", "b"]}}}},
        {"sensitive": {S: {"t": {"ordered": 0.2, "order": ["a", "a"]}}}},
        {"sensitive": {S: {"beta": {}}}},
        {"sensitive": {S: {"alpha": 0}}},
    ],
    ids=str,
)
def test_a_section_that_says_nothing_sensible_is_refused(section):
    with pytest.raises(ValidationError):
        Privacy.model_validate(section)


@pytest.mark.parametrize(
    ("criteria", "sets", "message"),
    [
        ({"l": {"entropy": 2}, "alpha": 0.5}, True, "entropy l is not defined"),
        ({"t": {"ordered": 0.2}}, True, "ordered t is not defined"),
        ({"l": 3}, True, "distinct l protects none"),
        ({"t": {"ordered": 0.2}}, False, "5 of 6 values of illness are no numbers"),
        ({"t": {"ordered": 0.2, "order": ["a", "b"]}}, False, "lacks 4 of its 6 values"),
        ({"t": {"hierarchical": 0.2, "hierarchy": "ilness"}}, False, "did you mean 'illness'"),
    ],
)
def test_what_does_not_fit_the_attribute_is_refused(criteria, sets, message):
    privacy = Privacy.model_validate({"sensitive": {S: criteria}})
    with pytest.raises(PolicyError, match=message):
        build_criteria(privacy, {S: SensitiveDomain(tuple(VALUES), sets)}, {"illness": TREE})


def test_all_problems_are_named_at_once():
    privacy = Privacy.model_validate({"sensitive": {"ilness": {"alpha": 0.5}}})
    with pytest.raises(PolicyError) as caught:
        build_criteria(privacy, {S: SensitiveDomain(tuple(VALUES), sets=True)})
    assert len(caught.value.problems) == 2


def test_a_value_outside_the_hierarchy_is_counted_not_shown():
    with pytest.raises(InputError, match="does not cover 1 of 2") as caught:
        HierarchicalDistance.over(TREE, ["a", "zebra"])
    assert "zebra" not in str(caught.value)


def test_sets_take_the_distance_value_by_value():
    privacy = Privacy.model_validate({"sensitive": {S: {"t": 0.2}}})
    found = build_criteria(privacy, {S: SensitiveDomain(tuple(VALUES), sets=True)})
    assert found == [KAnonymity(5), DistinctLDiversity(2, S), TCloseness(0.2, S, ValueDistance())]
