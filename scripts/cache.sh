# Sourced: where things lie that are costly to make and belong to no checkout.
tenkoku_cache=${XDG_CACHE_HOME:-$HOME/.cache}/tenkoku
mkdir -p "$tenkoku_cache"
export TENKOKU_TEST_CACHE=$tenkoku_cache
export LINT_PKI_CACHE=$tenkoku_cache/lint-pki
export CHECK_TRUST_LIST_CACHE=$tenkoku_cache/check-trust-list
