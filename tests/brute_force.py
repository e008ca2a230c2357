"""Generalization, suppression, criteria and losses by their definitions, in plain Python over lists of people.

Nothing here is shared with the engine but the hierarchies' labels and shares.
"""

import itertools
import math
import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from anon_spark.anonymize.hierarchy import Hierarchy

Label = str | None
Node = tuple[int, ...]

COLOUR = Hierarchy(
    "colour", (("red", "warm", "*"), ("pink", "warm", "*"), ("blue", "cold", "*"), ("teal", "cold", "*"))
)
SIZE = Hierarchy("size", (("s", "*"), ("m", "*")))
PLACE = Hierarchy("place", ((None, "none", "*"), ("a", "some", "*"), ("b", "some", "*")))
AGE = Hierarchy("age", tuple((str(x), f"{x // 2}h", f"{x // 4}q", "*") for x in range(8)))
TREES = {"COLOUR": COLOUR, "SIZE": SIZE, "PLACE": PLACE}
FOUR = {"AGE": AGE, **TREES}
OF_ROWS = frozenset({"PLACE"})


@dataclass(frozen=True)
class Person:
    """Rows of quasi-identifier values, and the values of every sensitive attribute."""

    rows: tuple[tuple[Label, ...], ...]
    sensitive: Mapping[str, tuple[Label, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """A criterion by name, with its parameters."""

    name: str
    attribute: str | None = None
    a: float = 0
    b: float = 0


@dataclass
class World:
    """People, their hierarchies, what must hold, and the population where a rule needs one."""

    people: Sequence[Person]
    trees: Mapping[str, Hierarchy]
    rules: Sequence[Rule]
    population: Sequence[tuple[Label, ...]] = ()
    of_rows: frozenset[str] = OF_ROWS

    def nodes(self) -> list[Node]:
        return list(itertools.product(*(range(h.height + 1) for h in self.trees.values())))

    def released(self, row: tuple[Label, ...], node: Node) -> tuple[Label, ...]:
        return tuple(h.label(v, x) for h, v, x in zip(self.trees.values(), row, node, strict=True))

    def suppressed(self, node: Node) -> tuple[set[int], dict[tuple[Label, ...], set[int]]]:
        """People taken out by rounds over sets of people, and the classes left."""
        out: set[int] = set()
        mapped = Counter(self.released(row, node) for row in self.population)
        rows = [{self.released(row, node) for row in person.rows} for person in self.people]
        while True:
            members: dict[tuple[Label, ...], set[int]] = defaultdict(set)
            for i, own in enumerate(rows):
                if i not in out:
                    for row in own:
                        members[row].add(i)
            failing = [
                who
                for row, who in members.items()
                if any(self.fails(rule, who, mapped[row]) for rule in self.rules)
            ]
            if not failing:
                return out, dict(members)
            out |= set().union(*failing)

    def fails(self, rule: Rule, who: set[int], mapped: int) -> bool:
        size = len(who)
        if rule.name == "k":
            return size < rule.a
        if rule.name == "k_map":
            return mapped < rule.a
        if rule.name == "presence":
            return not rule.a * mapped <= size <= rule.b * mapped
        assert rule.attribute
        held = Counter(v for i in who for v in self.people[i].sensitive[rule.attribute])
        whole = Counter(v for p in self.people for v in p.sensitive[rule.attribute])
        return _fails_on_values(rule, size, held, whole, len(self.people))

    def loss(self, name: str, node: Node, weights: Mapping[str, float]) -> tuple[float, int]:
        """The loss at a node and how many people are suppressed."""
        out, classes = self.suppressed(node)
        n = len(self.people)
        if name == "discernibility":
            return sum(len(who) ** 2 for who in classes.values()) + n * len(out), len(out)
        if name == "average_class_size":
            return n / max(len(classes) + bool(out), 1), len(out)
        of_attribute = {"nuentropy": self._entropy, "precision": self._height}.get(name, self._share)
        values = [of_attribute(q, node[q], out) for q in range(len(self.trees))]
        weight = [weights.get(q, 1.0) for q in self.trees]
        if name == "nuentropy":
            return sum(w * x for w, x in zip(weight, values, strict=True)), len(out)
        if name == "loss_gm":
            product = math.prod((x + 1) ** (w / sum(weight)) for w, x in zip(weight, values, strict=True))
            return product - 1, len(out)
        return sum(w * x for w, x in zip(weight, values, strict=True)) / sum(weight), len(out)

    def best(
        self, name: str, limit: float, weights: Mapping[str, float] | None = None
    ) -> tuple[float, Node, int] | None:
        """Loss, node and people suppressed of the best node, by looking at all."""
        found = []
        for node in self.nodes():
            loss, out = self.loss(name, node, weights or {})
            if out <= int(limit * len(self.people) + 1e-9) and out < len(self.people):
                found.append((loss, sum(node), node, out))
        if not found:
            return None
        least = min(loss for loss, *_ in found)
        ties = [x for x in found if x[0] <= least + 1e-11 * max(1.0, least)]
        loss, _, node, out = min(ties, key=lambda x: x[1:])
        return loss, node, out

    def _units(self, q: int) -> list[tuple[int, Label]]:
        per_row = list(self.trees)[q] in self.of_rows
        return [(i, row[q]) for i, p in enumerate(self.people) for row in (p.rows if per_row else p.rows[:1])]

    def _share(self, q: int, level: int, out: set[int]) -> float:
        tree = list(self.trees.values())[q]
        share, units = tree.share(level), self._units(q)
        total = sum(1.0 if i in out else share[tree.label(v, level)] for i, v in units)
        finest = len(units) / tree.domain_size
        return max((total - finest) / (len(units) - finest), 1e-10)

    def _entropy(self, q: int, level: int, out: set[int]) -> float:
        tree, units = list(self.trees.values())[q], self._units(q)
        leaves = Counter(v for _, v in units)
        values = Counter(tree.label(v, level) for _, v in units)
        bits = sum(-math.log2(leaves[v] / values[tree.label(v, level)]) for _, v in units)
        gone = Counter(tree.label(v, level) for i, v in units if i in out)
        return bits + sum(-c * math.log2(c / gone.total()) for c in gone.values())

    def _height(self, q: int, level: int, out: set[int]) -> float:
        tree, units = list(self.trees.values())[q], self._units(q)
        return sum(1.0 if i in out else level / tree.height for i, _ in units) / len(units)


def _fails_on_values(rule: Rule, size: int, held: Counter[Label], whole: Counter[Label], people: int) -> bool:
    share = {v: held[v] / size for v in whole}
    base = {v: c / people for v, c in whole.items()}
    if rule.name == "l":
        return len(held) < rule.a
    if rule.name == "entropy_l":
        return -sum(x * math.log(x) for x in share.values() if x) < math.log(rule.a) - 1e-9
    if rule.name == "recursive_l":
        counts = sorted(held.values(), reverse=True)
        return counts[0] >= rule.b * sum(counts[int(rule.a) - 1 :])
    if rule.name == "t":
        return sum(abs(share[v] - base[v]) for v in whole) / 2 > rule.a + 1e-9
    if rule.name == "t_value":
        return max(abs(share[v] - base[v]) for v in whole) > rule.a + 1e-9
    if rule.name == "alpha_k":
        return size < rule.b or max(share.values()) > rule.a + 1e-9
    if rule.name == "beta":
        return max((share[v] - base[v]) / base[v] for v in whole) > rule.a + 1e-9
    if rule.name == "delta":
        return any(not share[v] or abs(math.log2(share[v] / base[v])) >= rule.a for v in whole)
    assert rule.name == "delta_held"
    return any(share[v] and abs(math.log2(share[v] / base[v])) >= rule.a for v in whole)


def random_people(
    draw: random.Random,
    count: int,
    *,
    names: Sequence[str] = tuple(TREES),
    rows: Sequence[int] = (1, 1, 1, 2, 3),
) -> list[Person]:
    """People with skewed values; those of a person are the same in all rows, but for PLACE."""
    people = []
    for _ in range(count):
        own = {
            "AGE": str(min(draw.randrange(10), 7)),
            "COLOUR": draw.choices(COLOUR.leaves, [6, 2, 3, 1])[0],
            "SIZE": draw.choice(SIZE.leaves),
        }
        visits = [
            tuple(own[q] if q in own else draw.choice([None, "a", "b"]) for q in names)
            for _ in range(draw.choice(rows))
        ]
        sensitive = {
            "ILL": (draw.choices(["x", "y", "z", None], [5, 3, 1, 1])[0],),
            "JOB": (draw.choice("pq"),),
        }
        people.append(Person(tuple(visits), sensitive))
    return people
