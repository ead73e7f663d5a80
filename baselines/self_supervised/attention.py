"""The attention block of encoder and decoder."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention

from baselines.self_supervised.dropout import Dropout
from baselines.self_supervised.precision import full_precision


class Block(nn.Module):
    """Attention, then two linear layers, each with layer norm in front and a residual connection.

    Source:
        Schürholt et al. 2021, section 3; norm in front as in the authors' code.
    """

    def __init__(self, width: int, *, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm = nn.LayerNorm(width)
        self.queries_keys_values = nn.Linear(width, 3 * width)
        self.mix = nn.Linear(width, width)
        self.perceptron = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, hidden),
            nn.ReLU(inplace=True),
            Dropout(dropout),
            nn.Linear(hidden, width),
        )
        self.drop = Dropout(dropout)

    def forward(
        self, tokens: Float[Tensor, "batch tokens width"], first: int | None = None
    ) -> Float[Tensor, "batch _first width"]:
        """Transform all tokens, or only the ``first`` ones; each attends to all tokens."""
        attended: Tensor = self.mix(self.attention(self.norm(tokens), first))
        kept: Tensor = tokens[:, :first] + self.drop(attended)
        changed: Tensor = self.drop(self.perceptron(kept))
        return kept + changed

    def attention(
        self, tokens: Float[Tensor, "batch tokens width"], first: int | None
    ) -> Float[Tensor, "batch _first width"]:
        """Attend to all tokens; compute queries only for the ``first`` ones, or for all."""
        if first is None:
            queries, keys, values = self.queries_keys_values(tokens).chunk(3, dim=2)
        else:
            width = tokens.shape[2]
            weight, bias = self.queries_keys_values.weight, self.queries_keys_values.bias
            queries = linear(tokens[:, :first], weight[:width], bias[:width])
            keys, values = linear(tokens, weight[width:], bias[width:]).chunk(2, dim=2)
        dropout = self.dropout if self.training else 0.0
        attended = attend(
            self.by_head(queries), self.by_head(keys), self.by_head(values), dropout=dropout
        )
        return attended.transpose(1, 2).flatten(2)

    def by_head(
        self, tokens: Float[Tensor, "batch _tokens width"]
    ) -> Float[Tensor, "batch _heads _tokens _width"]:
        """Split each token into one part per head."""
        return tokens.view(*tokens.shape[:2], self.heads, -1).transpose(1, 2)


def attend(queries: Tensor, keys: Tensor, values: Tensor, *, dropout: float) -> Tensor:
    """Attend; in float32 on a CPU, where the bfloat16 gradient takes ten times as long."""
    if queries.is_cuda:
        return scaled_dot_product_attention(queries, keys, values, dropout_p=dropout)
    with full_precision(queries.device):
        return scaled_dot_product_attention(
            queries.float(), keys.float(), values.float(), dropout_p=dropout
        )


def block_stack(
    count: int, width: int, *, heads: int, hidden: int, dropout: float
) -> nn.ModuleList:
    """Return ``count`` blocks."""
    return nn.ModuleList(
        Block(width, heads=heads, hidden=hidden, dropout=dropout) for _ in range(count)
    )


def through_stack(stack: nn.ModuleList, tokens: Tensor, first: int | None = None) -> Tensor:
    """Pass tokens through all blocks; return all of them, or the ``first`` ones."""
    for block in stack[:-1]:
        tokens = block(tokens)
    result: Tensor = stack[-1](tokens, first)
    return result
