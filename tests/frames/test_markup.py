import csv
import io

import pytest

from bilancio.errors import InvalidInput, OutputError
from bilancio.jobs.views import Table

RELIEF = Table(
    columns=("kappa", "rule", "n", "verdict", "relief", "relief_low", "relief_high"),
    rows=(
        (0.25, "first|last", 20, "helps", 0.123456, 0.1, 0.15),
        (1.0, "100 % of_it", 20, "hurts", -0.5, -0.75, -2.5e-07),
        (2.0, "<b>", 1, "one seed", 1234.5678, None, None),
    ),
    total_rows=3,
    n_keys=2,
)
MANY = Table(
    columns=("a", *(f"m{k}{end}" for k in range(6) for end in ("", "_low", "_high"))),
    rows=tuple((a, *[float(a)] * 18) for a in range(100)),
    total_rows=2000,
    n_keys=1,
)


def test_markdown_has_aligned_columns_with_each_interval_beside_its_measure():
    assert (
        RELIEF.to_markdown()
        == r"""
| kappa | rule        |   n | verdict  |               relief [95 %] |
| ----: | ----------- | --: | -------- | --------------------------: |
|  0.25 | first\|last |  20 | helps    |     0.1235 [0.1000, 0.1500] |
|     1 | 100 % of_it |  20 | hurts    | -0.5000 [-0.7500, -2.5e-07] |
|     2 | \<b>        |   1 | one seed |                      1234.6 |
""".lstrip("\n")
    )


def test_latex_is_a_tabular_in_which_nothing_is_taken_for_a_command():
    assert (
        RELIEF.to_latex()
        == r"""
% needs \usepackage{booktabs}
% [95 %]: interval over the seeds of the row
\begin{tabular}{rlrlr}
\toprule
$\kappa$ & rule & n & verdict & relief [95 \%] \\
\midrule
0.25 & first\textbar{}last & 20 & helps & 0.1235 [0.1000, 0.1500] \\
1 & 100 \% of\_it & 20 & hurts & $-0.5000$ [$-0.7500$, $-2.5 \times 10^{-7}$] \\
2 & \textless{}b\textgreater{} & 1 & one seed & 1234.6 \\
\bottomrule
\end{tabular}
""".lstrip("\n")
    )


def test_latex_writes_greek_letters_as_such_and_says_what_brackets_are():
    columns = ("kappa", "delta_passive", "delta_passive_low", "delta_passive_high")
    table = Table(columns=columns, rows=((0.5, 0.6, 0.5, 0.7),), total_rows=1, n_keys=1)
    lines = table.to_latex().splitlines()
    assert lines[1] == "% [95 %]: interval over the seeds of the row"
    assert lines[4] == r"$\kappa$ & $\delta$ passive [95 \%] \\"
    judged = (
        "kappa",
        "x",
        *(f"x{end}{of}" for of in ("", "_adjusted") for end in ("_low", "_high")),
    )
    table = Table(columns=judged, rows=((0.5, 0.6, 0.5, 0.7, 0.4, 0.8),), total_rows=1, n_keys=1)
    assert "; adjusted: for all rows together, as verdicts are\n" in table.to_latex()
    assert "interval" not in Table(columns=("n",), rows=((1,),), total_rows=1, n_keys=0).to_latex()


def test_a_row_of_latex_that_begins_with_a_bracket_is_not_the_space_after_the_row_before():
    table = Table(columns=("bin", "n"), rows=(("[0, 1)", 1), ("[1, 2)", 2)), total_rows=2, n_keys=1)
    assert "\n{[}0, 1) & 1 \\\\\n{[}1, 2) & 2 \\\\\n" in table.to_latex()


def test_csv_has_all_columns_and_digits_and_reads_back_the_same(tmp_path):
    text = RELIEF.to_csv()
    heading, *rows = csv.reader(io.StringIO(text))
    assert tuple(heading) == RELIEF.columns
    assert [float(row[4]) for row in rows] == [row[4] for row in RELIEF.rows]
    assert rows[2][5:] == ["", ""]
    assert RELIEF.to_csv(tmp_path / "table.csv") is None
    assert (tmp_path / "table.csv").read_text() == text


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(OutputError, match=r"no-such-folder.*No such file or directory"):
        RELIEF.to_csv(tmp_path / "no-such-folder" / "table.csv")


def test_measures_choose_what_is_shown_and_the_adjusted_interval_stands_beside():
    table = Table(
        columns=(
            "a", "verdict", "m", "m_low", "m_high", "k", "k_low", "k_high",
            "m_low_adjusted", "m_high_adjusted",
        ),
        rows=((1, "helps", 0.5, 0.25, 0.75, 2.0, 1.0, 3.0, 0.125, 0.875),),
        total_rows=1,
        n_keys=1,
    )  # fmt: skip
    heading, _, row = table.to_markdown(measures=["m"]).splitlines()
    assert heading.split(" | ")[-1].strip(" |") == "m [95 % adjusted]"
    assert row.split(" | ")[-1].strip(" |") == "[0.1250, 0.8750]"
    assert "k [95 %]" not in heading
    assert table.to_markdown(measures=["k"]).startswith("|   a | k [95 %] |\n")
    with pytest.raises(InvalidInput, match=r"measures: got 'mm'; allowed: m, k. Did you mean m\?"):
        table.to_latex(measures=["mm"])


def test_html_shows_what_is_stored_and_obeys_none_of_it():
    shown = RELIEF._repr_html_()
    assert "<b>" not in shown
    assert "&lt;b&gt;" in shown


def test_html_of_a_large_table_is_short_and_says_what_it_leaves_out():
    shown = MANY._repr_html_()
    assert shown.count("<tr>") == 31
    assert "30 of 2,000 rows; not shown: m4, m5" in shown
