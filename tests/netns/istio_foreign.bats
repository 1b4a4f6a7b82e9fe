#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_foreign - Istio's rules among random foreign ones, in all three stores: apply, verify, flush and undo touch nothing
# foreign. A long run by hand: FOREIGN='SEED COUNT' tests/lib/run netns/istio_foreign

source "$TOP/tests/lib/pod.sh"

# shellcheck disable=SC2086
rounds() { python3 "$TOP/tests/netns/istio_foreign.py" "$CNISH" ${FOREIGN:-7 1} "$1"; }
@test "legacy: random foreign rules, sets, routes and addresses stay as they are" { sandbox rounds legacy; }
@test "compat: random foreign rules, sets, routes and addresses stay as they are" { sandbox rounds compat; }
@test "native: random foreign rules, sets, routes and addresses stay as they are" { sandbox rounds native; }
