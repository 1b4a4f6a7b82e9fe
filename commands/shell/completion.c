/* SPDX-License-Identifier: GPL-2.0-or-later */
/* completion - completion scripts for bash, zsh and fish, made from the command table */
#include "commands/shell/completion.h"

#include <string.h>

#include "nsutil/base/buf.h"

/*
 * The scripts ask 'cnish help --complete', which knows what the machine holds. Where that cannot be had
 * (another version, no right to run it), a list made now from the table stands in: commands and options.
 */
static const char bash_script[] =
	"# bash completion for cnish, made by 'cnish help --completion bash'\n"
	"_cnish() {\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} cur prefix reply\n"
	"\tlocal -a words replies\n"
	"\tread -ra words <<<\"$line\"\n"
	"\t[[ $line != *[[:blank:]] ]] || words+=('')\n"
	"\tcur=${words[-1]}\n"
	"\tmapfile -t replies < <(\"${words[0]}\" help --complete -- \"${words[@]:1}\" 2>/dev/null || _cnish_table \"${words[@]:1}\")\n"
	"\t# bash parts words at ':' and '=', and completes the last part only\n"
	"\tprefix=${cur%\"${cur##*[:=]}\"}\n"
	"\tCOMPREPLY=()\n"
	"\tfor reply in \"${replies[@]}\"; do\n"
	"\t\treply=${reply%%$'\\t'*}\n"
	"\t\t[[ $reply != \"$cur\"* ]] || COMPREPLY+=(\"${reply#\"$prefix\"}\")\n"
	"\tdone\n"
	"\t[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *[=/:] ]] || compopt -o nospace 2>/dev/null\n"
	"}\n"
	"complete -F _cnish cnish\n";

static const char zsh_script[] =
	"#compdef cnish\n"
	"# zsh completion for cnish, made by 'cnish help --completion zsh'\n"
	"_cnish() {\n"
	"\tlocal line word\n"
	"\tlocal -a lines all texts open open_texts\n"
	"\tlines=(\"${(@f)$(\"${words[1]}\" help --complete -- \"${(@Q)words[2,CURRENT-1]}\" \"${(Q)PREFIX}\" 2>/dev/null ||\n"
	"\t\t_cnish_table \"${(@Q)words[2,CURRENT]}\")}\")\n"
	"\tfor line in $lines; do\n"
	"\t\tword=${line%%$'\\t'*}\n"
	"\t\t[[ -n $word ]] || continue\n"
	"\t\tcase $word in\n"
	"\t\t*[=/:]) open+=(\"$word\") open_texts+=(\"${line/$'\\t'/  }\") ;;\n"
	"\t\t*) all+=(\"$word\") texts+=(\"${line/$'\\t'/  }\") ;;\n"
	"\t\tesac\n"
	"\tdone\n"
	"\t(( $#all == 0 )) || compadd -l -d texts -a all\n"
	"\t(( $#open == 0 )) || compadd -S '' -l -d open_texts -a open\n"
	"}\n"
	"if [[ $funcstack[1] == _cnish ]]; then _cnish \"$@\"; else compdef _cnish cnish; fi\n";

static const char fish_script[] =
	"# fish completion for cnish, made by 'cnish help --completion fish'\n"
	"function __cnish_complete\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l current (commandline -ct)\n"
	"\t$words[1] help --complete -- $words[2..-1] \"$current\" 2>/dev/null\n"
	"\tor __cnish_table $words[2..-1]\n"
	"end\n"
	"complete -c cnish -f -a '(__cnish_complete)'\n";

static void command_list(struct buf *b, const char *lead, const char *end)
{
	for (const struct command *const *c = command_table; *c; c++)
		buf_fmt(b, "%s%s%s", lead, (*c)->name, end);
}

static void option_list(struct buf *b, const struct command_option *list, unsigned n)
{
	for (unsigned i = 0; list && i < n && list[i].name; i++)
		buf_fmt(b, " --%s", list[i].name);
}

/* "case" of a POSIX shell; what is printed is one word a line. */
static void sh_table(struct buf *b)
{
	buf_str(b, "_cnish_table() {\n\tcase \" $* \" in\n");
	for (const struct command *const *c = command_table; *c; c++) {
		if (!(*c)->options || !(*c)->options[0].name)
			continue;
		buf_fmt(b, "\t*\" %s \"*) printf '%%s\\n'", (*c)->name);
		option_list(b, (*c)->options, -1U);
		buf_str(b, " ;;\n");
	}
	buf_str(b, "\t*) printf '%s\\n'");
	command_list(b, " '", "'");
	buf_str(b, " ;;\n\tesac\n\tprintf '%s\\n'");
	option_list(b, command_globals, GLOBAL_COUNT);
	buf_str(b, "\n}\n");
}

static void fish_table(struct buf *b)
{
	buf_str(b, "function __cnish_table\n\tswitch \" $argv \"\n");
	for (const struct command *const *c = command_table; *c; c++) {
		if (!(*c)->options || !(*c)->options[0].name)
			continue;
		buf_fmt(b, "\tcase '* %s *'\n\t\tprintf '%%s\\n'", (*c)->name);
		option_list(b, (*c)->options, -1U);
		buf_chr(b, '\n');
	}
	buf_str(b, "\tcase '*'\n\t\tprintf '%s\\n'");
	command_list(b, " '", "'");
	buf_str(b, "\n\tend\n\tprintf '%s\\n'");
	option_list(b, command_globals, GLOBAL_COUNT);
	buf_str(b, "\nend\n");
}

void completion_script(const char *shell, struct out *o)
{
	struct buf b _cleanup_buf_ = BUF_INIT;
	bool zsh = strcmp(shell, "zsh") == 0, fish = strcmp(shell, "fish") == 0;
	const char *script = zsh ? zsh_script : fish ? fish_script : bash_script;
	size_t head = zsh ? strcspn(script, "\n") + 1 : 0; /* "#compdef" is the first line */

	buf_add(&b, script, head);
	if (fish)
		fish_table(&b);
	else
		sh_table(&b);
	buf_str(&b, script + head);
	out_begin(o, "completion");
	out_str(o, "shell", NULL, shell);
	out_str(o, "script", NULL, buf_cstr(&b));
	out_raw(o, buf_cstr(&b), b.len);
	out_end(o);
}

static void put_candidate(void *arg, const char *word, const char *help)
{
	struct out *o = arg;

	out_object(o, NULL);
	out_str(o, "word", "%s", word);
	out_str(o, "help", help ? "\t%s" : NULL, help);
	out_nl(o);
	out_object_end(o);
}

void completion_candidates(struct session *s, int n, char **words, struct out *o)
{
	out_begin(o, "candidates");
	out_array(o, "candidates");
	session_complete(s, n, words, put_candidate, o);
	out_array_end(o);
	out_end(o);
}
