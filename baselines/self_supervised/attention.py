"""The attention block of encoder and decoder."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.functional import linear, scaled_dot_product_attention

from baselines.self_supervised.dropout import Dropout
from baselines.self_supervised.precision import full_precision


class Block(nn.Module):
    """Attention, then two linear layers, each normalised before and added to what came in.

    Source:
        Schürholt et al. 2021, section 3; normalised first as in the authors' code.
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
        """Transform the tokens, or only the ``first`` ones, which look at all."""
        attended: Tensor = self.mix(self.attention(self.norm(tokens), first))
        kept: Tensor = tokens[:, :first] + self.drop(attended)
        changed: Tensor = self.drop(self.perceptron(kept))
        return kept + changed

    def attention(
        self, tokens: Float[Tensor, "batch tokens width"], first: int | None
    ) -> Float[Tensor, "batch _first width"]:
        """Let tokens look at all tokens; what the others would ask for is never computed."""
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
        """Cut each token into one part per head."""
        return tokens.view(*tokens.shape[:2], self.heads, -1).transpose(1, 2)


def attend(queries: Tensor, keys: Tensor, values: Tensor, *, dropout: float) -> Tensor:
    """Attend; on a CPU in float32, where the gradient in bfloat16 takes ten times as long."""
    if queries.is_cuda:
        return scaled_dot_product_attention(queries, keys, values, dropout_p=dropout)
    with full_precision(queries.device):
        return scaled_dot_product_attention(
            queries.float(), keys.float(), values.float(), dropout_p=dropout
        )


def blocks(count: int, width: int, *, heads: int, hidden: int, dropout: float) -> nn.ModuleList:
    """Return a stack of blocks."""
    return nn.ModuleList(
        Block(width, heads=heads, hidden=hidden, dropout=dropout) for _ in range(count)
    )


def transformed(stack: nn.ModuleList, tokens: Tensor, first: int | None = None) -> Tensor:
    """Pass tokens through a stack; its last block returns the ``first`` of them, or all."""
    for block in stack[:-1]:
        tokens = block(tokens)
    result: Tensor = stack[-1](tokens, first)
    return result
