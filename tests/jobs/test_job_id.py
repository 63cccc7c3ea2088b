import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import OSA, Levenshtein
from rapidfuzz.process import cdist

from bilancio.errors import InvalidJobId
from bilancio.jobs.job_id import (
    generate_job_id,
    match_job_id,
    short_hash,
    spoken,
    validate_job_id,
    words,
)

TIGER = "bright-ocean-swift-tiger"
CASTLE = "castle-river-mountain-forest"
HAWK = "quiet-meadow-golden-hawk"
KNOWN = (TIGER, CASTLE, HAWK)

WELL_KNOWN_HOMOPHONES = """
    air aisle allowed altar ant arc aunt bale ball band bare base bass bat bay beach bean bear beat
    beech beer beet berry berth blue boar board bolder border bough boulder bow brake bread bridal
    bridle bury buy cedar ceiling cell cellar cent cereal choir chord coarse colonel coral cord core
    council course creak creek crews cruise currant current cygnet cymbal days dear deer desert dew
    doe dough dual duel dye eight ewe fair fairy fawn feet fir flair flare flea floe flour
    flower foul fowl fur gait gate gorilla great grisly grizzly groan guest hail hair hall hare hart
    haul hay heal heard heart heel herd high hoarse hole horse hour idle idol inn jam jeans jewel
    kernel key knead knight knot lain lane lead leak leek lichen links loan loot lute lynx made maid
    mail main maize male mane mantle marten maze meat medal meet metal meter mews mine miner mist
    moat moose morning mousse mussel mustard naval new night nose oar one ore pail pair palate pale
    palette pane paw peace peak peal pear pearl pedal peer petal pie piece pier pigeon plain
    plane plum plumb pole pore pray prince profit quarts quartz quay queue rain raise rap reed reel
    right ring road role roll root rose rote route row rye sail sale sauce scene scent sea seam see
    seem serial sew shoe sight sign sleigh sloe slow soar sole son sore sow stair stake stare
    stationary steak steal steel step stile stork story suede suite sun sweet sword tail tale taper
    tea team tear teas tern throne thyme tide tie tier timber time toad toe tow troop tuna two
    vain vale vane veil vein wail waist wait ware waste wave way weather week weir whale wheel
    whine whole wine witch wood wrap write yew yolk
"""


def candidates(name, known):
    """Return what is offered for *name*, which must not have led to a job."""
    match = match_job_id(name, known)
    assert match.job_id is None
    assert not match.exact
    assert not match.how
    return match.candidates


def drawn(count):
    rng = random.Random(7)
    return [generate_job_id(rng) for _ in range(count)]


MANY = drawn(2_000)


@st.composite
def slips(draw, word):
    """Draw *word* with one letter left out, put in, replaced, or swapped with the next."""
    at = draw(st.integers(0, len(word) - 1))
    letter = draw(st.sampled_from(string.ascii_lowercase))
    return draw(
        st.sampled_from(
            [
                word[:at] + word[at + 1 :],
                word[:at] + letter + word[at:],
                word[:at] + letter + word[at + 1 :],
                word[:at] + word[at : at + 2][::-1] + word[at + 2 :],
            ]
        )
    )


class TestList:
    def test_is_sorted_and_repeats_nothing(self):
        assert list(words()) == sorted(set(words()))

    def test_has_about_a_thousand_words(self):
        assert 1_000 <= len(words()) <= 1_300

    def test_words_have_three_to_nine_letters(self):
        letters = set(string.ascii_lowercase)
        assert [word for word in words() if not 3 <= len(word) <= 9 or set(word) - letters] == []

    def test_first_four_letters_tell_the_words_apart(self):
        """A word of three letters begins no other word."""
        short = [word for word in words() if len(word) == 3]
        assert len({word[:4] for word in words()}) == len(words())
        assert [word for word in words() if word[:3] in short and word not in short] == []

    @pytest.mark.parametrize("distance", [OSA.distance, Levenshtein.distance])
    def test_any_two_words_are_two_edits_apart(self, distance):
        distances = cdist(words(), words(), scorer=distance, score_cutoff=1)
        assert (distances <= 1).sum() == len(words())  # each is near itself only

    def test_no_word_is_the_plural_of_another(self):
        plurals = {word + ending for word in words() for ending in ("s", "es")}
        assert plurals.isdisjoint(words())

    def test_no_word_sounds_like_another_common_one(self):
        assert set(words()) & set(WELL_KNOWN_HOMOPHONES.split()) == set()

    def test_has_the_words_of_the_examples(self):
        assert set("-".join(KNOWN).split("-")) <= set(words())


class TestDraw:
    def test_a_thousand_draws_are_a_thousand_names_of_four_different_words(self):
        drawn = {generate_job_id() for _ in range(1_000)}
        assert len(drawn) == 1_000
        for name in drawn:
            assert len(set(name.split("-")) & set(words())) == 4
            assert validate_job_id(name) == name

    def test_seeded_draws_stay_what_they_were(self):
        """The list is part of what a seed means: reordering it changes these."""
        rng = random.Random(2026)
        assert [generate_job_id(rng) for _ in range(3)] == [
            "daffodil-market-squid-strong",
            "cottage-halibut-tuxedo-pupil",
            "wagon-trident-sonata-wonder",
        ]


class TestValidate:
    @pytest.mark.parametrize(
        "name",
        [
            TIGER,
            "my-experiment-name",
            "run-2",
            "2026-10-01",
            "a-b-c-d-e-f-g-h",
            f"{'a' * 49}-{'b' * 50}",
        ],
    )
    def test_takes_drawn_and_custom_names_as_they_are(self, name):
        assert validate_job_id(name) == name

    @pytest.mark.parametrize(
        "name",
        [
            "",
            "-",
            "experiment",
            "a-b-c-d-e-f-g-h-i",
            f"{'a' * 50}-{'b' * 50}",
            "my--experiment",
            "-my-experiment",
            "my-experiment-",
            "my-experiment\n",
            "my-experiment\x00",
            "My-Experiment",
            "my_experiment",
            "my experiment",
            "my-experiment.json",
            "../my-experiment",
            "my/experiment",
            "mon-expérience",
            "my-experiment-²",
            "my–experiment",
            "мой-опыт",
            None,
            7,
            b"my-experiment",
            ["my", "experiment"],
        ],
    )
    def test_refuses_everything_else(self, name):
        with pytest.raises(InvalidJobId):
            validate_job_id(name)

    @pytest.mark.parametrize(
        ("name", "meant"),
        [
            ("My Experiment", ("my-experiment",)),
            ("my_experiment", ("my-experiment",)),
            ("mon-expérience", ("mon-experience",)),
            ("experiment", ()),
            ("../..", ()),
            ("a b c d e f g h i", ()),
            ("my experiment" * 1_000, ()),
            (7, ()),
        ],
    )
    def test_suggests_the_valid_name_with_the_same_words(self, name, meant):
        with pytest.raises(InvalidJobId) as error:
            validate_job_id(name)
        assert error.value.suggestions == meant

    def test_error_says_what_was_got_allowed_and_meant(self):
        with pytest.raises(InvalidJobId) as error:
            validate_job_id("My Experiment")
        assert str(error.value) == (
            "job_id: got 'My Experiment'; allowed: 2 to 8 words of lower-case letters a-z and "
            "digits, joined by '-', at most 100 characters in all, such as "
            "'bright-ocean-swift-tiger'. Did you mean 'my-experiment'?"
        )


@pytest.mark.parametrize(
    "name",
    [
        "Bright Ocean Swift Tiger",
        "bright_ocean_swift_tiger",
        "bright, ocean. swift/tiger",
        "  BRIGHT–OCEAN — SWIFT\nTIGER?!",
        "“bright-océan-swïft-tiger”",
        "ｂｒｉｇｈｔ ocean swift tiger",
    ],
)
def test_words_are_heard_whatever_stands_between_them(name):
    assert spoken(name) == ("bright", "ocean", "swift", "tiger")
    match = match_job_id(name, KNOWN)
    assert match.job_id == TIGER
    assert match.exact
    assert not match.how
    assert match.candidates == ()


def test_nothing_is_heard_in_a_name_without_words():
    assert spoken(" -- ?! ") == ()
    assert candidates(" -- ?! ", KNOWN) == ()


class TestTypos:
    @pytest.mark.parametrize(
        "typed",
        [
            "brigt-ocean-swift-tiger",
            "bright-oceean-swift-tiger",
            "bright-ocean-swoft-tiger",
            "bright-ocean-swift-tigre",
            "birght oceam swit tigger",
        ],
    )
    def test_one_in_each_word_is_forgiven(self, typed):
        match = match_job_id(typed, KNOWN)
        assert match.job_id == TIGER
        assert not match.exact

    def test_reading_says_what_it_overlooked(self):
        match = match_job_id("Brigt Ocean Swift Tigre", KNOWN)
        assert match.how == "read 'brigt' as 'bright', 'tigre' as 'tiger'"

    def test_two_in_one_word_are_not_forgiven(self):
        assert candidates("brgt-ocean-swift-tiger", KNOWN) == (TIGER,)

    def test_words_of_custom_names_are_not_forgiven(self):
        known = ["my-experiment-name"]
        assert candidates("my-experimnt-name", known) == ("my-experiment-name",)
        assert match_job_id("My Experiment_Name", known).exact

    def test_words_with_digits_are_not_forgiven(self):
        assert candidates("bright-ocean-12", ["bright-ocean-13"]) == ("bright-ocean-13",)
        assert candidates("bright-tiger2", ["bright-tiger", "bright-tiger3"])[0] == "bright-tiger"

    def test_words_of_the_list_are_forgiven_beside_others_that_match(self):
        match = match_job_id("brigt-trial-12", ["bright-trial-12", "bright-trial-13"])
        assert match.job_id == "bright-trial-12"
        assert match.how == "read 'brigt' as 'bright'"

    def test_slip_towards_two_known_names_gives_both(self):
        """'lame' is one edit from 'lake' and from 'lamp'."""
        lake, lamp = "lake-river-swift-tiger", "lamp-river-swift-tiger"
        assert candidates("lame-river-swift-tiger", [lamp, TIGER, lake]) == (lamp, lake)
        assert match_job_id("lame-river-swift-tiger", [TIGER, lake]).job_id == lake

    def test_name_as_typed_wins_over_a_mended_one(self):
        match = match_job_id("brigt-ocean", ["bright-ocean", "brigt-ocean"])
        assert match.job_id == "brigt-ocean"
        assert match.exact

    @given(
        words_meant=st.lists(st.sampled_from(words()), min_size=4, max_size=4, unique=True),
        data=st.data(),
    )
    @settings(deadline=None)  # the first call imports rapidfuzz
    def test_one_anywhere_in_every_word_still_finds_the_name_among_many(self, words_meant, data):
        name = "-".join(words_meant)
        typed = " ".join(data.draw(slips(word)) for word in words_meant)
        assert match_job_id(typed, [*MANY, name]).job_id == name


class TestBeginnings:
    def test_name_is_found_by_words_that_only_it_begins_with(self):
        match = match_job_id("bright ocean", KNOWN)
        assert match.job_id == TIGER
        assert not match.exact
        assert match.how == "only one name begins with 'bright-ocean'"

    def test_beginning_may_hold_a_typo(self):
        match = match_job_id("brigt ocean", KNOWN)
        assert match.job_id == TIGER
        assert match.how == "read 'brigt' as 'bright'; only one name begins with 'bright-ocean'"

    def test_beginning_of_several_names_gives_them_in_their_order(self):
        known = ["bright-ocean-two", CASTLE, "bright-ocean-one"]
        assert candidates("bright ocean", known) == ("bright-ocean-two", "bright-ocean-one")

    def test_at_most_five_are_offered(self):
        known = [f"bright-ocean-{number}" for number in range(9)]
        assert candidates("bright ocean", known) == tuple(known[:5])

    def test_whole_name_is_not_the_beginning_of_a_longer_one(self):
        known = [f"{TIGER}-2", TIGER]
        assert match_job_id(TIGER, known).exact
        assert match_job_id("bright-ocean-swift-tigr", known).job_id == TIGER

    def test_beginning_as_typed_wins_over_a_mended_one(self):
        known = ["bright-ocean-one", "brigt-ocean-two"]
        assert match_job_id("brigt", known).job_id == "brigt-ocean-two"

    def test_whole_name_mended_and_beginning_as_typed_give_both(self):
        known = ["brigt-ocean-two", "bright-ocean"]
        assert candidates("brigt ocean", known) == tuple(known)

    def test_beginning_ends_with_a_word(self):
        assert candidates("run-1", ["run-12-a"]) == ("run-12-a",)
        assert candidates("my-exper", ["my-experiment-name"]) == ()

    def test_more_words_than_a_name_has_do_not_fit(self):
        assert candidates("bright ocean swift tiger lion", KNOWN) == (TIGER,)


class TestAbbreviations:
    def test_four_letters_stand_for_a_word(self):
        match = match_job_id("brig ocea swif tige", KNOWN)
        assert match.job_id == TIGER
        assert match.how.startswith("read 'brig' as 'bright', 'ocea' as 'ocean'")

    def test_they_mix_with_typos_and_beginnings(self):
        assert match_job_id("castl rivr mount", KNOWN).job_id == CASTLE

    def test_three_letters_do_not(self):
        assert match_job_id("moun", ["mountain-river"]).job_id == "mountain-river"
        assert candidates("mou", ["mountain-river"]) == ()

    @given(st.lists(st.sampled_from(words()), min_size=4, max_size=4, unique=True))
    @settings(deadline=None)  # the first call imports rapidfuzz
    def test_first_four_letters_of_every_word_find_any_name_among_many(self, words_meant):
        name = "-".join(words_meant)
        typed = " ".join(word[:4] for word in words_meant)
        assert match_job_id(typed, [*MANY, name]).job_id == name


class TestCandidates:
    @pytest.mark.parametrize(
        "typed",
        [
            "ocean bright tiger swift",
            "ocean swift tiger",
            "bright-ocean-swift-lion",
            "the results of bright ocean swift tiger please",
            "brightoceanswifttiger",
        ],
    )
    def test_name_much_like_the_typed_one_is_offered(self, typed):
        assert candidates(typed, [*MANY, TIGER])[0] == TIGER

    @pytest.mark.parametrize("typed", ["qwertz uiop", "nothing of the kind", "x", "é" * 10_000])
    def test_nothing_is_offered_for_a_name_unlike_all(self, typed):
        assert candidates(typed, [*MANY, TIGER]) == ()

    def test_nothing_is_known_at_first(self):
        assert candidates(TIGER, []) == ()

    def test_known_names_may_come_from_an_iterator_and_twice(self):
        assert match_job_id("bright", iter([TIGER, TIGER])).job_id == TIGER


def test_hash_of_a_name_stays_what_it_was():
    """Run ids hold it."""
    assert short_hash(TIGER) == "7f3e1"
