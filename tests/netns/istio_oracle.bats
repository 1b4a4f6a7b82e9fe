#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# istio_oracle - the plan equals that of a second generator, for random configurations

source "$TOP/tests/lib/pod.sh"

oracle() { python3 "$TOP/tests/netns/istio_oracle.py" "$CNISH" "$(date +%s)" 300; }
@test "random configurations: the plan equals that of a second, independent generator" { sandbox oracle; }
