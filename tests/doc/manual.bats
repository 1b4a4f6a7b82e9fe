#!/usr/bin/env bats
# SPDX-License-Identifier: GPL-2.0-or-later
# manual - what the program offers, the manual, the help and the schemas agree

setup() {
	help=$BATS_TEST_TMPDIR/help.json
	"$CNISH" -o json help >"$help"
	man=$TOP/man/cnish.1
}

# section NAME: the part of the manual about one command
section() {
	awk -v name="$1" '
		/^\.S[hs] / { in_it = 0 }
		$0 == ".Ss " name || index($0, ".Ss " name " ") == 1 { in_it = 1 }
		in_it' "$man"
}

# has_option TEXT LETTER NAME
has_option() {
	local regex="Fl -$3( |$)"
	[[ -z $2 ]] || regex="Fl $2 , Fl -$3( |$)"
	grep -qE -- "$regex" <<<"$1"
}

@test "the manual pages are clean mdoc" {
	local complaints
	complaints=$(mandoc -Tlint "$man" "$TOP/man/cnish-json.5" "$TOP/man/cnish-trace.7" 2>/dev/null | grep -v 'referenced manual not found' || true)
	[ -z "$complaints" ] || { echo "$complaints"; false; }
}

@test "every command has a section in the manual, in the order of the table" {
	local name missing=
	while IFS= read -r name; do
		[ -n "$(section "$name")" ] || missing="$missing '$name'"
	done < <(jq -r '.commands[].name' "$help")
	[ -z "$missing" ] || { echo "no .Ss in man/cnish.1 for:$missing"; false; }
}

@test "the manual has no section for a command that does not exist" {
	local line name known=
	while IFS= read -r line; do
		known=
		while IFS= read -r name; do
			[[ $line == "$name" || $line == "$name "* ]] && known=1
		done < <(jq -r '.commands[].name' "$help")
		[ -n "$known" ] || { echo "unknown command: .Ss $line"; false; }
	done < <(awk '/^\.Sh / { in_it = $2 == "COMMANDS" } in_it && /^\.Ss / { sub(/^\.Ss /, ""); print }' "$man")
}

@test "every diagnosis is in the section of doctor, with severity and title, in order" {
	"$CNISH" -o json doctor --list | jq -r '.diagnoses[] | ".It Cm \(.id) Pq \(.severity)", .title' >"$BATS_TEST_TMPDIR/want"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/want")" -ge 108 ]
	section doctor | grep -A1 '^\.It Cm D[0-9]' | grep -v '^--$' | diff - "$BATS_TEST_TMPDIR/want"
}

@test "every option of every command is in its section" {
	local name letter option missing=
	while IFS=$'\t' read -r name letter option; do
		has_option "$(section "$name")" "${letter#-}" "$option" || missing="$missing '$name --$option'"
	done < <(jq -r '.commands[].name' "$help" | while IFS= read -r name; do
		# shellcheck disable=SC2086
		"$CNISH" -o json help $name | jq -r --arg name "$name" \
			'.commands[] | select(.name == $name) | .options[] | [$name, "-" + (.letter // ""), .name] | @tsv'
	done)
	[ -z "$missing" ] || { echo "not in man/cnish.1:$missing"; false; }
}

@test "every setting is in the manual or its command's help, with what it is" {
	local name text
	text=$("$CNISH" help set)
	while IFS= read -r name; do
		section set | grep -qE "(^\.|, |Cm )$name( |$)" || { echo "manual, set: $name"; false; }
		grep -qw -- "$name" <<<"$text" || { echo "help set: $name"; false; }
	done < <("$CNISH" -o json set | jq -r '.settings | keys[]')
	text=$("$CNISH" help istio show)
	while IFS= read -r name; do
		grep -A 1 -x -- "  $name" <<<"$text" | grep -q '^      [^ ]' || { echo "help istio show: $name"; false; }
	done < <(unshare -n "$CNISH" -o json istio show | jq -r '.expected.settings | keys[]')
}

@test "every option of the program is in the manual and in the help" {
	local letter option text
	text=$("$CNISH" help)
	while IFS=$'\t' read -r letter option; do
		has_option "$(cat "$man")" "${letter#-}" "$option" || { echo "manual: --$option"; false; }
		grep -q -- "--$option\b" <<<"$text" || { echo "help: --$option"; false; }
	done < <(jq -r '.options[] | ["-" + (.letter // ""), .name] | @tsv' "$help")
}

@test "every command says what it does, with a description and an example" {
	local name one
	while IFS= read -r name; do
		# shellcheck disable=SC2086
		one=$("$CNISH" -o json help $name | jq --arg name "$name" '.commands[] | select(.name == $name)')
		jq -e '.summary | length > 5 and (endswith(".") | not)' <<<"$one" || { echo "summary: $name"; false; }
		jq -e '.description | length > 20' <<<"$one" || { echo "description: $name"; false; }
		[ "$name" = quit ] || jq -e '.examples | length > 0' <<<"$one" || { echo "examples: $name"; false; }
		jq -e 'all(.options[]; .help | length > 3)' <<<"$one" || { echo "option without help: $name"; false; }
	done < <(jq -r '.commands[].name' "$help")
}

@test "every example parses: its command and options are right" {
	local name line
	while IFS= read -r name; do
		# shellcheck disable=SC2086
		while IFS= read -r line; do
			run "$CNISH" -c "--help $line" </dev/null # parses all of it, and runs nothing
			[ "$status" = 0 ] || { echo "$name: $line: $output"; false; }
		done < <("$CNISH" -o json help $name | jq -r '.commands[].examples[]')
	done < <(jq -r '.commands[].name' "$help")
}

@test "every kind of JSON object the sources write has a schema" {
	local name missing=
	while IFS= read -r name; do
		[ -e "$TOP/man/schema/cnish.$name.schema.json" ] || missing="$missing $name"
	done < <(grep -rhoE --include="*.c" 'out_begin\([a-z>.-]+, "[a-z-]+"\)' "$TOP/commands" "$TOP/shell" | sed -E 's/.*"([a-z-]+)".*/\1/' | sort -u)
	[ -z "$missing" ] || { echo "no schema in man/schema for:$missing"; false; }
}

@test "the schemas are valid, and each names itself" {
	local file
	for file in "$TOP"/man/schema/*.schema.json; do
		/usr/bin/python3 - "$file" <<-'END'
			import json, os, sys, jsonschema
			schema = json.load(open(sys.argv[1]))
			jsonschema.Draft202012Validator.check_schema(schema)
			assert schema["$id"] == os.path.basename(sys.argv[1]), sys.argv[1]
			const = schema.get("properties", {}).get("schema", {}).get("const")
			assert const in (None, os.path.basename(sys.argv[1]).replace(".schema.json", "") + "/1"), const
		END
	done
}

@test "the exit statuses in the manual are those of the program" {
	local n
	for n in 0 1 2 3 4 5 6; do
		awk '/^\.Sh EXIT STATUS/ { in_it = 1; next } /^\.Sh/ { in_it = 0 } in_it' "$man" | grep -qx "\.It $n"
	done
}
