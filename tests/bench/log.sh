#!/bin/bash
# The log over the ledger at LOG_LEAVES batches (5 million): time of a
# checkpoint and of proofs, bytes a leaf. Goals: a checkpoint an hour's batches
# later within 1 s, a proof within 10 ms.
set -eu
B=${B:-build}
dir=$B/bench-log
rm -rf "$dir"
mkdir -p "$dir"
trap 'rm -rf "$dir"' EXIT
echo "log of ${LOG_LEAVES:-5000000} batches:"
"$B/tools/log_tool" "${LOG_LEAVES:-5000000}" "$dir"
