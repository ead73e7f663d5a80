#!/usr/bin/env bash
# Evaluates the project's own baselines and submits them: submit_baselines.sh ZOO[,ZOO] [NAME …]
# Run it on a clean checkout: results of changed code are refused. RESULTS keeps what is finished,
# so the same command goes on; a submission holds all zoos that RESULTS has of it.
# NAME-boosted is the embedder NAME in the track supervised.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
results=${RESULTS:-results}
zoos=${1:?which zoos: tetris-seed,tetris-hyp}
shift
[ $# -gt 0 ] || set -- $(cd leaderboard/baselines && printf '%s\n' *.toml | sed 's/\.toml$//')
for name in "$@"; do
  embedder=${name%-boosted} probe=standard
  [ "$embedder" = "$name" ] || probe=boosted
  case $name in
    chance | hyper-parameters) ;; # every evaluation with references makes them
    *)
      for zoo in ${zoos//,/ }; do
        seeds=1
        [ "$name" != random-projection ] || seeds=3
        zoobench evaluate "$embedder" --zoo "$zoo" --probe "$probe" --seeds "$seeds" --out "$results"
      done
      ;;
  esac
  zoobench submit "$results/$embedder" --about "leaderboard/baselines/$name.toml" --replace
done
