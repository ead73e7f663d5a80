"""The tables of the paper: their zoos, their embedders, and what the paper concludes from them."""

from baselines.paper.table_types import Claim, PaperTable, Row
from zoobench.results.record import RECONSTRUCTION

SELF_SUPERVISED = "self-supervised"
FAST = "self-supervised-fast"
CNN_FAST = "self-supervised-cnn-fast"


def plain(*embedders: str) -> tuple[Row, ...]:
    """Return a row for each embedder with its default settings."""
    return tuple(Row(name, name) for name in embedders)


DOWNSTREAM = ("eph", "acc", "ggap", "f1_c0", "f1_c1", "f1_c2", "f1_c3")
STATISTICS = plain("raw-weights", "weight-statistics")
E_CD = Row(SELF_SUPERVISED, FAST)
LOSSES = {
    "E_c": {"beta": "0"},
    "ED": {"beta": "1"},
    "E_c+D": {"contrast": "positive"},
    "E_cD": {},
}
AUGMENTATIONS = {
    letters: {
        **({} if "P" in letters else {"permute": "False"}),
        **({} if "E" in letters else {"erase": "0"}),
        "noise": "0.05" if "N" in letters else "0",
    }
    for letters in ("none", "P", "E", "N", "PE", "PN", "EN", "PEN")
}
AUGMENTED = ("ED", "E_cD", "E_c+D")
COMPRESSIONS = {2: "50", 3: "33", 5: "20"}


def variant(loss: str, augmentations: str | None = None, compression: int = 2) -> Row:
    """Return the row of one variant of the method; its title names only what is not the default.

    Without ``augmentations`` the views are those of ``FAST``. Like PE, they are not in the title.
    """
    title = loss
    settings = dict(LOSSES[loss])
    if augmentations:
        settings |= AUGMENTATIONS[augmentations]
    if augmentations not in {None, "PE"}:
        title = f"{title} {augmentations}"
    if compression != 2:
        title, settings = f"{title} c={compression}", settings | {"dim": COMPRESSIONS[compression]}
    return Row(E_CD.title if title == "E_cD" else title, FAST, settings)


def augmented(loss: str, augmentations: str) -> str:
    """Return the title of a row of Table 3."""
    return variant(loss, augmentations).title


def above_statistics(columns: tuple[str, ...] = (), zoos: tuple[str, ...] = ()) -> Claim:
    """Return the claim that the learned embedding beats the weight statistics."""
    return Claim(
        "The learned embedding (E_cD) predicts better than the statistics of the weights.",
        ((E_CD.title, "weight-statistics"),),
        columns,
        zoos,
    )


def above(*others: str) -> Claim:
    """Return the claim that the learned embedding beats other rows."""
    return Claim(
        f"The learned embedding predicts better than {', '.join(others)}.",
        tuple((E_CD.title, other) for other in others),
    )


MNIST_HYP = (
    "mnist-hyp-1-fix-seed",
    "mnist-hyp-1-rand-seed",
    "mnist-hyp-5-fix-seed",
    "mnist-hyp-5-rand-seed",
)
TABLES = {
    table.name: table
    for table in (
        PaperTable(
            name="table1",
            title="Table 1: what is learned",
            zoos=("tetris-seed",),
            rows=(*plain("weight-statistics"), *(variant(loss) for loss in LOSSES)),
            probes=("paper",),
            reconstruction=True,
            claims=(
                Claim(
                    "Contrast alone (E_c) learns very useful embeddings: above s(W).",
                    (("E_c", "weight-statistics"),),
                ),
                Claim(
                    "Reconstruction alone (ED) keeps most of the weights.",
                    (("ED", E_CD.title),),
                    (RECONSTRUCTION,),
                ),
                Claim(
                    "Reconstruction alone (ED) predicts less than the two together (E_cD).",
                    ((E_CD.title, "ED"),),
                    DOWNSTREAM,
                ),
                Claim(
                    "E_cD is best overall: above every other loss.",
                    tuple((E_CD.title, loss) for loss in ("E_c", "ED", "E_c+D")),
                    DOWNSTREAM,
                ),
                Claim("E_c+D predicts more than ED.", (("E_c+D", "ED"),), DOWNSTREAM),
                above_statistics(DOWNSTREAM),
            ),
        ),
        PaperTable(
            name="table2",
            title="Table 2: what the encoder looks at",
            zoos=("tetris-seed",),
            rows=(
                Row("FF", FAST, {"tokens": "none"}),
                Row("Att_W", FAST, {"tokens": "weights", "compression_token": "False"}),
                Row("Att_W+t", FAST, {"tokens": "weights"}),
                Row("Att_N", FAST, {"compression_token": "False"}),
                E_CD,
            ),
            probes=("paper",),
            reconstruction=True,
            claims=(
                Claim(
                    "Attention keeps and predicts more than fully connected layers (FF).",
                    tuple((name, "FF") for name in ("Att_W", "Att_W+t", "Att_N", E_CD.title)),
                ),
                Claim(
                    "Tokens of neurons with a compression token (Att_N+t) are best overall.",
                    tuple((E_CD.title, name) for name in ("FF", "Att_W", "Att_W+t", "Att_N")),
                ),
                Claim(
                    "A compression token scores higher than all tokens compressed linearly.",
                    (("Att_W+t", "Att_W"), (E_CD.title, "Att_N")),
                ),
            ),
        ),
        PaperTable(
            name="table3",
            title="Table 3: which views",
            zoos=("tetris-seed",),
            rows=tuple(variant(loss, views) for loss in AUGMENTED for views in AUGMENTATIONS),
            probes=("paper",),
            reconstruction=True,
            claims=(
                Claim(
                    "Permutation (P) is needed for reconstructions of unseen networks.",
                    tuple((augmented(loss, "P"), augmented(loss, "none")) for loss in AUGMENTED),
                    (RECONSTRUCTION,),
                ),
                Claim(
                    "Erasing (E) improves further on permutation.",
                    tuple((augmented(loss, "PE"), augmented(loss, "P")) for loss in AUGMENTED),
                    (RECONSTRUCTION,),
                ),
                Claim(
                    "Noise (N) yields inconsistent results: better in places, worse in others.",
                    tuple(
                        (augmented(loss, noisy), augmented(loss, calm))
                        for loss in AUGMENTED
                        for noisy, calm in (("N", "none"), ("PN", "P"), ("PEN", "PE"))
                    ),
                    (RECONSTRUCTION,),
                    expect="mixed",
                ),
            ),
        ),
        PaperTable(
            name="table12",
            title="Table 12: how far weights are compressed",
            zoos=("tetris-seed",),
            rows=tuple(
                variant(loss, compression=compression)
                for loss in ("E_c", "ED", "E_cD")
                for compression in COMPRESSIONS
            ),
            probes=("paper",),
            reconstruction=True,
            claims=tuple(
                Claim(
                    f"{loss} scores lower the more it compresses.",
                    tuple(
                        (variant(loss, compression=c).title, variant(loss, compression=d).title)
                        for c, d in ((2, 3), (3, 5))
                    ),
                )
                for loss in ("E_c", "ED", "E_cD")
            ),
        ),
        PaperTable(
            name="table5",
            title="Table 5: the Tetris zoos",
            zoos=("tetris-seed", "tetris-hyp"),
            rows=(
                *plain("raw-weights", "pca-linear", "pca-cosine", "pca-rbf", "umap"),
                *plain("weight-statistics"),
                E_CD,
                *plain("weight-statistics-wide", "random-projection"),
            ),
            running_gap=True,
            claims=(
                above("raw-weights", "pca-linear", "pca-cosine", "pca-rbf", "umap"),
                above_statistics(zoos=("tetris-seed",)),
                above_statistics(("eph", "acc", "ggap", "act", "init"), ("tetris-hyp",)),
            ),
        ),
        PaperTable(
            name="table4",
            title="Table 4: the MNIST zoos",
            zoos=("mnist-seed", *MNIST_HYP),
            rows=(*STATISTICS, Row(SELF_SUPERVISED, CNN_FAST)),
            tasks=("eph", "acc", "ggap", "init"),
            running_gap=True,
            claims=(
                above("raw-weights"),
                above_statistics(("acc", "ggap"), ("mnist-seed",)),
                above_statistics(zoos=MNIST_HYP),
            ),
        ),
        PaperTable(
            name="table6",
            title="Table 6: random search over the small CNN",
            zoos=("mnist-hyp", "fashion-hyp", "cifar10-hyp", "svhn-hyp"),
            rows=(*STATISTICS, Row(SELF_SUPERVISED, CNN_FAST)),
            tasks=("eph", "acc", "ggap", "lr", "l2", "drop", "tf", "act", "init", "opt"),
            claims=(above("raw-weights"), above_statistics()),
        ),
        PaperTable(
            name="table13",
            title="Table 13: one network, three image sets",
            zoos=("mnist-seed", "fashion-seed", "svhn-seed"),
            rows=(*STATISTICS, Row(SELF_SUPERVISED, CNN_FAST)),
            tasks=("eph", "acc", "ggap"),
            running_gap=True,
            claims=(above("raw-weights"),),
        ),
    )
}
