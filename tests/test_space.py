"""One network or several as one space."""

import numpy as np
import pytest
from fakes import FakeNetwork

from reid.errors import EmbeddingSpaceError
from reid.space import AUTO, EmbeddingSpace, SpaceSpec


class Random(FakeNetwork):
    """Unit vectors that have nothing to do with the crop but stay the same for it."""

    def __init__(self, name: str, dim: int, **changed: str) -> None:
        self.name, self.dim = name, dim
        self.__dict__.update(changed)

    def embed(self, crops):
        rng = np.random.default_rng([self.dim, int(crops.sum())])
        rows = rng.normal(size=(len(crops), self.dim)).astype(np.float32)
        return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _crops(count: int, networks: int):
    return [tuple(np.full((112, 112, 3), n, np.uint8) for _ in range(networks)) for n in range(count)]


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5])
def test_the_cosine_of_two_networks_is_the_weighted_mean_of_theirs(share):
    first, second = Random("a", 128), Random("b", 64)
    rows = EmbeddingSpace([first, second], [share, 1 - share]).embed(_crops(6, 2))
    alone = [EmbeddingSpace([network], [1.0]).embed(_crops(6, 1)) for network in (first, second)]
    assert rows.shape == (6, 192)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)
    expected = share * alone[0] @ alone[0].T + (1 - share) * alone[1] @ alone[1].T
    assert rows @ rows.T == pytest.approx(expected, abs=1e-5)


def test_the_id_changes_with_everything_that_changes_an_embedding():
    def id_of(share=0.2, **changed):
        return EmbeddingSpace([Random("a", 8, **changed), Random("b", 8)], [share, 1 - share]).id

    ids = {id_of(), id_of(0.3), id_of(weights_sha256="1" * 64), id_of(preprocessing="other")}
    assert len(ids) == 4
    assert id_of() == id_of()
    assert id_of(source="another place") == id_of(), "where the same weights came from does not matter"
    assert id_of().startswith("a+b@0.2:")


def test_what_a_gallery_was_made_with_can_be_asked_for_again():
    space = EmbeddingSpace([Random("facenet", 8), Random("sface", 8)], [0.2, 0.8])
    assert SpaceSpec.parse(space.id.split(":")[0]) == SpaceSpec.parse("facenet+sface@0.2")


@pytest.mark.parametrize(
    ("text", "networks", "shares"),
    [
        ("sface", ("sface",), (1.0,)),
        ("facenet+sface@0.3", ("facenet", "sface"), (0.3, 0.7)),
        ("auto", SpaceSpec.parse(AUTO).networks, SpaceSpec.parse(AUTO).shares),
        ("facenet+sface", ("facenet", "sface"), SpaceSpec.parse(AUTO).shares),
    ],
)
def test_a_space_is_asked_for_by_name(text, networks, shares):
    assert SpaceSpec.parse(text) == SpaceSpec(networks, shares)


@pytest.mark.parametrize(
    "text", ["", "facenet+", "facenet@0.2", "a+a", "a+b+c", "facenet+sface@1.5", "Face Net", "a+b@0"]
)
def test_a_name_that_means_nothing_is_refused_with_what_would(text):
    with pytest.raises(EmbeddingSpaceError, match=r"facenet\+sface@0\.2"):
        SpaceSpec.parse(text)


def test_no_faces_give_no_rows():
    assert EmbeddingSpace([Random("a", 8)], [1.0]).embed([]).shape == (0, 8)
