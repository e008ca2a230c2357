"""What is known of a word by itself: names, towns, plain English, clinical terms, and words that announce something."""

import gzip
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

# Words that say what comes next or before. A word may stand in one class only: the first that names it.
ANNOUNCING = {
    "title": "dr drs doctor mr mrs ms miss mx prof professor sir madam mister rev reverend father fr sister sr rabbi "
    "imam pastor chaplain attending md's dra sra señor señora herr frau monsieur madame judge officer sgt capt",
    "credential": "md do rn np pa pac phd lpn crna pharmd dds dmd mph lcsw msw rrt rt cna aprn facc facs bsn msn mbbs "
    "frcp dpm pt dpt ot otr slp licsw lvn crnp fnp acnp esq jr iii ii phn dnp rd ldn ccc mbchb",
    "role": "patient pt pts attending resident fellow intern surgeon physician nurse cardiologist pcp provider "
    "oncologist nephrologist neurologist radiologist anesthesiologist therapist psychiatrist pulmonologist consultant "
    "hospitalist urologist gastroenterologist dictated transcribed signed cosigned reviewed interpreted author "
    "technologist sonographer operator referring requested ordering witness reader scribe midwife pharmacist "
    "caseworker interpreter chaplaincy preceptor supervising endoscopist assistant",
    "relation": "wife husband son daughter mother father brother sister spouse partner mom dad mum niece nephew aunt "
    "uncle cousin grandson granddaughter grandmother grandfather friend neighbor neighbour girlfriend boyfriend fiance "
    "fiancee hcp proxy guardian family stepson stepdaughter sibling twin roommate caregiver landlord pastor nok "
    "landlady conservator grandma grandpa",
    "namekey": "name names known lastname firstname surname aka alias nickname called named née maiden dear sincerely "
    "regards thanks paged informed notified contacted spoke discussed w attn cc from to by with per",
    "month": "january february march april may june july august september october november december jan feb mar apr "
    "jun jul aug sep sept oct nov dec",
    "weekday": "monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thurs fri sat sun",
    "holiday": "christmas thanksgiving easter halloween ramadan passover diwali xmas hanukkah",
    "street": "street st avenue ave road rd lane ln drive drv boulevard blvd court ct circle cir place pl terrace ter "
    "way parkway pkwy highway hwy square sq trail apt apartment suite ste unit box route rte floor broadway alley "
    "crossing strasse straße rue calle via ulica laan plaza crescent close row lot pike loop turnpike tpke",
    "hospital": "hospital hosp medical clinic center centre infirmary hospice rehab rehabilitation nursing manor "
    "health healthcare snf hospitals memorial general regional university community veterans va childrens institute "
    "foundation practice associates ltac pavilion haven gardens",
    "company": "inc llc ltd corp corporation company co group gmbh plc university college school church factory bank "
    "brothers sons bros industries enterprises partners associates & diner restaurant store bakery academy "
    "department dept union employer employed works worked retired job",
    "idkey": "mrn mr ssn ss id number no num nbr account acct policy member serial license licence plate vin "
    "accession specimen case passport badge medicare medicaid insurance subscriber group dea npi certificate udi lot "
    "model device sn csn fin encounter beneficiary mbi hic ref ticket unit chart record fingerprint iris retinal "
    "voiceprint dna biometric palm photo photograph image jpg jpeg png filename",
    "contactkey": "phone tel telephone cell mobile fax pager beeper pgr email mail website url www http https ip home "
    "ph ext extension facsimile voicemail contact hotline portal",
    "age": "yo old year years yr yrs age aged yof yom birthday dob born birth",
    "place": "lives living resides from moved born native visiting traveled travelled residence city state county "
    "country zip address town village transferred tx'd near outside",
    "time": "since until in on during before after between date day week month admitted admission discharge discharged "
    "dated last next previous prior scheduled appointment appt appts follow followup due expected started ended "
    "through thru till dos doa dod performed obtained collected received",
    "dose": "mg ml mcg units unit cc kg g gm meq tabs tab tablet tablets capsule caps puffs drops gtt gtts hr hrs bid "
    "tid qid daily qhs prn po iv im sc pr q mmhg mm cm bpm lpm liters l lb lbs percent % mmol mg/dl beats degrees f c",
    "state": "al ak az ar ca co ct de fl ga hi ia id il ks ky la ma me mi mn mo ms mt nc nd ne nh nj nm nv ny oh ok "
    "ri sc sd tn tx ut vt wa wi wv wy dc pr usa uk",
    "strength": "strength motor power reflexes grade pain score scale gcs murmur apgar apgars dtr dtrs",
    "medical": "disease syndrome sign test score scale classification criteria maneuver procedure reflex lymphoma "
    "sarcoma catheter tube line drain esophagus palsy contracture fracture thyroiditis phenomenon rhythm block "
    "dementia chorea stage node nodes anemia law position wave waves stain agar method formula index",
    "religion": "catholic protestant jewish muslim islamic hindu buddhist baptist methodist lutheran episcopalian "
    "christian jehovah's mormon orthodox sikh atheist quaker presbyterian pentecostal agnostic witness adventist",
}


@cache
def announcing() -> dict[str, str]:
    """Word to its class."""
    classes: dict[str, str] = {}
    for kind, words in ANNOUNCING.items():
        for word in words.split():
            classes.setdefault(word, kind)
    return classes


ORDINARY = frozenset("eEmda")
"""Lists of words that are nobody's name by themselves."""


@cache
def lexicon() -> dict[str, str]:
    """Word to the letters of the lists that hold it.

    ``S``/``s`` common and rarer surnames, ``F``/``f`` first names, ``c`` towns, ``l`` words of towns' names, ``y``
    countries and states, ``e``/``E`` common and rarer English, ``m`` clinical terms, ``d`` drugs and products, ``a``
    clinical abbreviations, ``p`` names that diseases and tools bear. Lists for the note grammar alone are left out, so
    that a name made up for a test is not one the detector was told of.
    """
    return {
        word: known
        for word, flags in all_words().items()
        if (known := flags.replace("r", "").replace("t", ""))
    }


_LETTERS = "abcdefghijklmnopqrstuvwxyz"
SLIPS_FROM, SLIPS_TO = 6, 30  # letters; a shorter word is near too many others, a longer one is near none


def is_slip(word: str) -> bool:
    """Whether one slip of the keyboard makes an ordinary word of at least five letters this one, which no list holds.

    >>> [is_slip(word) for word in ("dermatoology", "abdomne", "assesment", "nguyenova")]
    [True, True, True, False]
    """
    if not SLIPS_FROM <= len(word) <= SLIPS_TO or not word.isascii():
        return False
    ordinary, size = _ordinary(), len(word)
    # What stands before a slip begins the right word, and what stands behind it, two letters on at most, ends it.
    first = max(0, size - 2 - _shared(word[::-1], _turned()))
    for i in range(first, min(_shared(word, _sorted()) + 1, size)):
        before, letter, after = word[:i], word[i], word[i + 1 :]
        near = [before + other + after for other in _LETTERS]
        near += [before + other + word[i:] for other in _LETTERS]
        near += [before + after, before + after[:1] + letter + after[1:]]
        if not ordinary.isdisjoint(near):
            return True
    return False


def _shared(word: str, words: list[str]) -> int:
    """With how many letters ``word`` begins as one of ``words``, which are sorted, does."""
    at = bisect_left(words, word)
    near, size = words[max(0, at - 1) : at + 1], 0
    while size < len(word) and any(other.startswith(word[: size + 1]) for other in near):
        size += 1
    return size


@cache
def _ordinary() -> frozenset[str]:
    return frozenset(word for word, flags in lexicon().items() if not ORDINARY.isdisjoint(flags))


@cache
def _sorted() -> list[str]:
    return sorted(_ordinary())


@cache
def _turned() -> list[str]:
    return sorted(word[::-1] for word in _ordinary())


@cache
def clusters() -> dict[str, int]:
    """Word, as it is spelt, to its Brown cluster: the first turns of its path are the lowest bits.

    Source: Brown et al. 1992, Class-based n-gram models of natural language. Made by scripts/make_clusters.py.
    """
    return {word: int(number) for word, number in _pairs("data/clusters.txt.gz")}


def cluster_of(word: str) -> int:
    """The cluster of a word, of its small letters, or of the word with a capital; 0 for none.

    >>> cluster_of("Smith") == cluster_of("Johnson") != cluster_of("catheter")
    True
    >>> cluster_of("CATHETER") == cluster_of("catheter"), cluster_of("zwackelmann")
    (True, 0)
    """
    known = clusters()
    return known.get(word) or known.get(word.lower()) or known.get(word.capitalize()) or 0


@cache
def all_words() -> dict[str, str]:
    """As :func:`lexicon`, with ``r`` rare surnames and ``t`` small towns. Made by scripts/make_lexicon.py."""
    return dict(_pairs("data/lexicon.txt.gz"))


def _pairs(name: str) -> Iterator[list[str]]:
    """The two columns of a packed list."""
    packed = files(__package__).joinpath(name).read_bytes()
    return (line.split("\t") for line in gzip.decompress(packed).decode().splitlines())
