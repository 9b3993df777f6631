"""CSV files as people really write them."""

import ast

import pandas as pd
import pytest

from reid.errors import TableError
from reid.tables import inside, read_rows, write_csv


def _write(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_header_names_are_read_in_any_case_and_order(tmp_path):
    rows = read_rows(_write(tmp_path, "GT , other,Image_Path\nann,x,a.jpg\n"), labelled=True)
    assert [(row.image_path, row.label) for row in rows] == [("a.jpg", "ann")]


def test_labels_keep_commas_quotes_and_any_script(tmp_path):
    text = 'image_path,gt\na.jpg,"Ann, the ""first"""\nb.jpg,Зоя 王\nc.jpg,NA\nd.jpg,007\n'
    assert [row.label for row in read_rows(_write(tmp_path, text), labelled=True)] == [
        'Ann, the "first"', "Зоя 王", "NA", "007",
    ]  # fmt: skip


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path):
    rows = read_rows(_write(tmp_path, "image_path,gt\na.jpg,ann\n", "utf-8-sig"), labelled=True)
    assert rows[0].image_path == "a.jpg"


def test_a_label_column_may_be_called_name_or_be_absent(tmp_path):
    assert read_rows(_write(tmp_path, "image_path,name\na.jpg,ann\n"), labelled=True)[0].label == "ann"
    assert read_rows(_write(tmp_path, "image_path\na.jpg\n"), labelled=False)[0].label is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("image_path,gt\n", "lists no photographs"),
        ("path,gt\na.jpg,ann\n", "no column 'image_path'"),
        ("image_path\na.jpg\n", "no column 'gt'"),
        ('image_path,gt\n"a.jpg,ann\n', "cannot be read as CSV"),
    ],
)
def test_an_unusable_table_is_one_sentence(tmp_path, text, said):
    with pytest.raises(TableError, match=said):
        read_rows(_write(tmp_path, text), labelled=True)


def test_other_encodings_and_missing_files_are_one_sentence(tmp_path):
    with pytest.raises(TableError, match="UTF-8"):
        read_rows(_write(tmp_path, "image_path,gt\na.jpg,Zoë\n", "latin-1"), labelled=True)
    with pytest.raises(TableError, match="There is no file"):
        read_rows(tmp_path / "none.csv", labelled=True)
    with pytest.raises(TableError, match="cannot be read"):
        read_rows(tmp_path, labelled=True)


@pytest.mark.parametrize("path", ["../a.jpg", "a/../../b.jpg", "/etc/passwd", ".", ""])
def test_a_path_that_leaves_the_root_is_refused(tmp_path, path):
    assert inside(tmp_path / "root", path) is None


def test_a_path_below_the_root_is_found(tmp_path):
    assert inside(tmp_path, "a/./b/../c.jpg") == tmp_path / "a" / "c.jpg"


def test_a_table_is_written_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out.csv"
    target.write_text("old")
    (tmp_path / "blocked").write_text("a file, not a folder")
    with pytest.raises(TableError, match="cannot be written"):
        write_csv(tmp_path / "blocked" / "out.csv", pd.DataFrame({"a": [1]}))
    assert target.read_text() == "old"
    write_csv(target, pd.DataFrame({"objects": [repr({"gt": "O'Neil", "image": "test_set/a.jpg"})]}))
    assert ast.literal_eval(pd.read_csv(target)["objects"][0]) == {"gt": "O'Neil", "image": "test_set/a.jpg"}
    assert sorted(p.name for p in tmp_path.iterdir()) == ["blocked", "out.csv"]
