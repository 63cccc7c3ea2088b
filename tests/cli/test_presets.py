"""Presets on the command line."""

from bilancio.experiments.presets import PRESETS


def planned(bilancio, *words):
    said = bilancio("sweep", *words, "--dry-run", "--json")
    assert said.code == 0, said.err
    return said.json


def test_presets_are_listed_with_what_each_sets_and_why(bilancio):
    said = bilancio("presets").out
    told = bilancio("presets", "--json").json["presets"]
    assert [each["name"] for each in told] == list(PRESETS)
    for each in told:
        assert f"{each['name']}: {each['about']}" in said
        runs = planned(bilancio, "balanced", "--preset", each["name"])["runs"]
        assert (each["runs"]["balanced"], each["sets"]) == (runs, PRESETS[each["name"]].fields)


def test_options_and_files_win_over_a_preset_and_a_preset_over_another_job(bilancio, tmp_path):
    file = tmp_path / "sweep.yaml"
    file.write_text("preset: stressed\nmus: [1]\n")
    from_file = planned(bilancio, "ring", "--config", file, "--n-agents", "5")["config"]
    assert (from_file["kappas"], from_file["mus"]) == (["0.25", "0.5"], ["1"])
    bilancio("sweep", "ring", "--kappas", "2", "--n-agents", "5", "--job-id", "my-ample-ring")
    like = planned(bilancio, "ring", "--like", "my-ample-ring", "--preset", "stressed")["config"]
    assert (like["kappas"], like["n_agents"]) == (["0.25", "0.5"], 5)


def test_an_unknown_preset_is_answered_with_the_nearest(bilancio):
    said = bilancio("sweep", "balanced", "--preset", "stresed")
    assert (said.code, said.out) == (1, "")
    assert said.err.endswith("allowed: stressed, paper, quick. Did you mean stressed?\n")
