"""What defines a run of self-supervised training; defaults are the paper's for the Tetris zoos."""

from dataclasses import dataclass
from math import inf, isfinite
from typing import Literal, get_args

from zoogen import ZooError

Tokens = Literal["neurons", "weights", "none", "sets"]
Contrast = Literal["nt-xent", "positive"]
Schedule = Literal["plateau", "one-cycle"]
CHOICES = {
    "tokens": get_args(Tokens),
    "contrast": get_args(Contrast),
    "schedule": get_args(Schedule),
}

COUNTS = ("dim", "blocks", "heads", "width", "hidden", "layers", "epochs", "patience")
RANGES = dict.fromkeys(COUNTS, (1, inf)) | {
    "batch": (2, inf),
    "dropout": (0, 0.99),
    "beta": (0, 1),
    "erase": (0, 1),
    "noise": (0, inf),
    "position": (0, inf),
    "temperature": (1e-6, inf),
    "learning_rate": (1e-12, inf),
    "weight_decay": (0, inf),
    "steps": (0, inf),
}


@dataclass(kw_only=True)
class Settings:
    """The paper's method with all its variants.

    ``beta`` and ``contrast`` name the losses: E_c is ``beta=0``, ED ``beta=1``, E_cD the default
    and E_c+D ``contrast="positive"``. ``tokens`` and ``compression_token`` name the architectures:
    Att_N+t is the default, Att_W has ``tokens="weights"``, FF ``tokens="none"``.

    Attributes:
        dim: Dimension L of the embedding.
        tokens: What the encoder attends over: ``neurons`` (or kernels), single ``weights``, or
            ``none`` for fully connected layers. ``sets`` are not in the paper: units that send
            messages along their connections and have no order (``deep_sets.py``).
        compression_token: Whether a learned token gathers the embedding; else all tokens do.
        blocks: Attention blocks in the encoder, and as many in the decoder; with ``sets``, sweeps
            of messages through the network.
        heads: Attention heads in each.
        width: Dimension d of a token.
        hidden: Dimension between the two linear layers of a block.
        layers: Hidden layers of the encoder, and as many of the decoder, if ``tokens`` is ``none``.
        position: Standard deviation that position embeddings and the compression token start with.
            At 1 they hide the weights, whose tokens are smaller, for the first epochs.
        dropout: Probability, in attention, blocks and fully connected layers.
        beta: Share of the reconstruction loss, the rest is contrast.
        contrast: ``nt-xent`` sets the views of other snapshots apart, ``positive`` only draws the
            two views of one together (equation 3).
        temperature: τ of NT-Xent.
        projection: Hidden layers, their width and the output of the projection head.
        permute: Whether views permute hidden units.
        erase: Probability that a run of a view's weights is set to zero.
        erased: Least and largest share of the weights in that run.
        noise: Standard deviation of what is added to the weights of a view.
        epochs: Passes over the training snapshots, at most.
        steps: As many at least, in more epochs if that takes more: for zoos of few models.
        patience: Stop when validation has not improved for so many epochs.
        batch: Snapshots to a step, two views of each.
        learning_rate: Of Adam, at its peak for ``one-cycle``.
        weight_decay: Of Adam.
        schedule: ``plateau`` cuts the learning rate to 30 % when the training loss has not fallen
            for ten epochs, as the authors' code does; ``one-cycle`` warms up and cools down.
        normalise: Whether each tensor is divided by its standard deviation over the training
            snapshots before it is embedded, and multiplied after.
        device: Where to train, ``cpu`` or ``cuda``.

    Raises:
        ZooError: If a value is out of range.

    Source:
        Schürholt et al. 2021, arXiv:2110.15288, sections 2 to 4.2; epochs, schedule and
        projection of the authors' code.
    """

    dim: int = 50
    tokens: Tokens = "neurons"
    compression_token: bool = True
    blocks: int = 2
    heads: int = 1
    width: int = 128
    hidden: int = 512
    layers: int = 10
    position: float = 1.0
    dropout: float = 0.1
    beta: float = 0.5
    contrast: Contrast = "nt-xent"
    temperature: float = 0.1
    projection: tuple[int, int, int] = (3, 50, 20)
    permute: bool = True
    erase: float = 0.5
    erased: tuple[float, float] = (0.03, 0.3)
    noise: float = 0.0
    epochs: int = 1000
    steps: int = 0
    patience: int = 100
    batch: int = 500
    learning_rate: float = 1e-4
    weight_decay: float = 1e-9
    schedule: Schedule = "plateau"
    normalise: bool = False
    device: str = "cpu"

    def __post_init__(self) -> None:
        self.refuse_outside()
        if self.width % self.heads:
            raise ZooError(f"width={self.width}, heads={self.heads}: expected a multiple of heads")
        if not 0 <= self.erased[0] <= self.erased[1] < 1:
            raise ZooError(f"erased={self.erased}: expected two ascending shares below 1")
        if min(self.projection[1:]) < 1 or self.projection[0] < 0:
            raise ZooError(f"projection={self.projection}: expected layers, their width, output")
        if self.tokens == "sets" and self.beta > 0:
            raise ZooError(
                f"tokens='sets', beta={self.beta}: what knows no order of units cannot give "
                "weights back in theirs; set beta=0"
            )

    def refuse_outside(self) -> None:
        """Refuse numbers and names out of range."""
        for name, (low, high) in RANGES.items():
            value = getattr(self, name)
            if not isfinite(value):
                raise ZooError(f"{name}={value}: expected a finite number")
            if not low <= value <= high:
                expected = f"{low} to {high}" if high < inf else f"{low} or more"
                raise ZooError(f"{name}={value}: expected {expected}")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ZooError(f"{name}={getattr(self, name)!r}: expected {' or '.join(choices)}")
        if self.device.partition(":")[0] not in {"cpu", "cuda"}:
            raise ZooError(f"device={self.device!r}: expected cpu, cuda or cuda:0")
