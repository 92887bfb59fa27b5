# Makes the completions of a program for one shell from what its --help prints, which is made from its
# table of options:
#
#	vmrun --help | awk -v program=vmrun -v shell=bash -v hooks="backoff install_once" \
#	    -v stateful=install_once -f generate.awk
#
# shell: bash, zsh, fish or csh (tcsh).  hooks: the names of the stock hooks.  stateful: those that keep
# state, which vmrunctl forget deletes.
# The lines of --help are "  -c, --config FILE  help" for an option and "  run FILE  help" for a command.

BEGIN {
	quote = sprintf("%c", 39)
	# The values of the options that take one of a few words; a test offers each to the program.
	values["--print"] = "argv spec bhyve_config graph policy schema lua-types devices"
	values["--format"] = "json lua ucl auto"
	values["--import-format"] = "vm-bhyve argv bhyve_config"
	values["--hypervisor"] = "bhyve qemu auto"
	values["--log-level"] = "error warning info debug"
	values["--log-format"] = "text json"
	values["--exit-status"] = "guest"
	values["--state"] = "waiting loading running stopping backoff given_up"
	# The extensions of specs, and how vmrunctl names the VMs.
	extensions = "json lua ucl conf"
	names = "vmrunctl list 2>/dev/null | awk " quote "NR > 1 { print $1 }" quote
}

/^  ([-a-z]|    --)/ {
	line = substr($0, 3)
	if (line ~ /^[a-z]/)
		add_command(line)
	else
		add_option(line)
}

END {
	if (options == 0) {
		print "generate.awk: no options in the help of " program >"/dev/stderr"
		exit 1
	}
	if (shell == "bash")
		bash()
	else if (shell == "zsh")
		zsh()
	else if (shell == "fish")
		fish()
	else
		csh()
}

function add_command(line)
{
	commands++
	command[commands] = line
	sub(/ .*/, "", command[commands])
	command_help[commands] = line
	sub(/^.*[^ ]  +/, "", command_help[commands])
	command_list = command_list (commands > 1 ? " " : "") command[commands]
}

function add_option(line,    name, argument)
{
	options++
	letter[options] = line ~ /^-/ ? substr(line, 1, 2) : ""
	line = substr(line, 5)
	name = argument = ""
	if (line ~ /^--/) {
		name = line
		sub(/ .*/, "", name)
		line = substr(line, length(name) + 1)
	}
	if (line ~ /^ [^ ]/) {
		argument = substr(line, 2)
		sub(/ .*/, "", argument)
		line = substr(line, length(argument) + 2)
	}
	sub(/^ +/, "", line)
	long[options] = name
	argument_of[options] = argument
	help[options] = line
	repeats[options] = line ~ /repeatable/
	words_of[options] = name in values ? values[name] : ""
	word_list = word_list (letter[options] == "" ? "" : " " letter[options]) (name == "" ? "" : " " name)
}

# What an option takes: none, words, hook, spec, file, directory or text.
function kind(i)
{
	if (argument_of[i] == "")
		return "none"
	if (words_of[i] != "")
		return "words"
	if (long[i] == "--hook")
		return "hook"
	if (long[i] == "--config")
		return "spec"
	if (argument_of[i] == "DIR")
		return "directory"
	if (argument_of[i] == "FILE" || argument_of[i] == "PATH" || argument_of[i] == "DEST")
		return "file"
	return "text"
}

function either(i, between)
{
	return letter[i] (letter[i] != "" && long[i] != "" ? between : "") long[i]
}

function header(comment)
{
	print comment " Completions of " program "(8) for " (shell == "csh" ? "tcsh" : shell) ", made from its table of options."
}

# --- bash ---

function bash(    i)
{
	header("#")
	print "_" program "()\n{"
	print "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
	print "\tCOMPREPLY=()"
	print "\t# --name=value is three words here."
	print "\tif [[ $cur == = ]]; then\n\t\tcur="
	print "\telif [[ $prev == = ]]; then\n\t\tprev=${COMP_WORDS[COMP_CWORD - 2]}\n\tfi"
	print "\tcase $prev in"
	for (i = 1; i <= options; i++) {
		if (kind(i) == "none")
			continue
		printf "\t%s) %sreturn ;;\n", either(i, " | "), bash_value(i)
	}
	print "\tesac"
	print "\tcase $cur in"
	print "\t-*) mapfile -t COMPREPLY < <(compgen -W " quote substr(word_list, 2) quote " -- \"$cur\") ;;"
	if (commands == 0)
		print "\t*) " bash_files("spec") ";;"
	else
		bash_commands()
	print "\tesac\n}"
	print "complete -F _" program " " program
}

function bash_files(kind_of)
{
	if (kind_of == "spec")
		return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- \"$cur\"; compgen -f -- \"$cur\" | " \
		    "grep -E " quote "\\.(" bars(extensions) ")$" quote "); "
	return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -" (kind_of == "directory" ? "d" : "f") " -- \"$cur\"); "
}

function bash_words(list)
{
	return "mapfile -t COMPREPLY < <(compgen -W " quote list quote " -- \"$cur\"); "
}

function bash_value(i,    k)
{
	k = kind(i)
	if (k == "words")
		return bash_words(words_of[i])
	if (k == "hook")
		return "compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -W " quote hooks quote " -- \"$cur\"); "
	return k == "text" ? "" : bash_files(k)
}

# NAME COMMAND [ARGUMENT] and COMMAND NAME [ARGUMENT]: the words that are no options nor their values count.
function bash_commands(    i, taking)
{
	for (i = 1; i <= options; i++)
		taking = taking (kind(i) == "none" ? "" : (taking == "" ? "" : " | ") either(i, " | "))
	print "\t*)"
	print "\t\tlocal commands=" quote command_list quote " words=() i"
	print "\t\tfor ((i = 1; i < COMP_CWORD; i++)); do\n\t\t\tcase ${COMP_WORDS[i]} in"
	print "\t\t\t" taking ") [[ ${COMP_WORDS[++i]} != = ]] || ((i++)) ;;"
	print "\t\t\t-*) ;;\n\t\t\t*) words+=(\"${COMP_WORDS[i]}\") ;;\n\t\t\tesac\n\t\tdone"
	print "\t\tcase ${#words[@]} in"
	print "\t\t0) mapfile -t COMPREPLY < <(compgen -W \"$commands $(" names ")\" -- \"$cur\") ;;"
	print "\t\t1)\n\t\t\tif [[ \" $commands \" == *\" ${words[0]} \"* ]]; then"
	print "\t\t\t\tcommands=$(" names ")\n\t\t\tfi"
	print "\t\t\tmapfile -t COMPREPLY < <(compgen -W \"$commands\" -- \"$cur\")\n\t\t\t;;"
	print "\t\t2)\n\t\t\tcase \" ${words[*]} \" in"
	print "\t\t\t*" quote " run " quote "*) " bash_files("file") ";;"
	print "\t\t\t*" quote " forget " quote "*) " bash_words(stateful) ";;"
	print "\t\t\tesac\n\t\t\t;;\n\t\tesac\n\t\t;;"
}

function bars(list)
{
	gsub(/ /, "|", list)
	return list
}

# --- zsh ---

# Escapes the help of a specification of _arguments within single quotes.
function zsh_text(text)
{
	gsub(/[:\\]|\[|\]/, "\\\\&", text)
	gsub(quote, quote "\\" quote quote, text)
	return text
}

function zsh_action(i,    k)
{
	k = kind(i)
	if (k == "none")
		return ""
	k = k == "words" ? "(" words_of[i] ")" : k == "directory" ? "_files -/" : k == "file" ? "_files" : \
	    k == "hook" ? "{_alternative \"hooks:stock hook:(" hooks ")\" \"files:file:_files\"}" : \
	    k == "spec" ? zsh_spec() : " "
	return ":" argument_of[i] ":" k
}

function zsh_spec()
{
	return "_files -g \"*.(" bars(extensions) ")(-.)\""
}

function zsh(    i, star, tail)
{
	print "#compdef " program
	header("#")
	if (commands > 0)
		zsh_commands()
	print "_arguments -s -S : \\"
	for (i = 1; i <= options; i++) {
		star = repeats[i] ? "*" : ""
		tail = quote "[" zsh_text(help[i]) "]" zsh_action(i) quote " \\"
		if (letter[i] != "" && long[i] != "")
			print "\t" quote (repeats[i] ? "*" : "(" letter[i] " " long[i] ")") quote \
			    "{" letter[i] (argument_of[i] != "" ? "+" : "") "," long[i] \
			    (argument_of[i] != "" ? "=" : "") "}" tail
		else
			print "\t" quote star either(i, "") (argument_of[i] == "" ? "" : long[i] == "" ? "+" : "=") \
			    substr(tail, 2)
	}
	if (commands == 0)
		print "\t" quote "1:spec:" zsh_spec() quote " \\\n\t" quote "*:: :_default" quote
	else
		print "\t" quote "1:VM or command:_vmrunctl_first" quote " \\\n\t" quote \
		    "2:VM or command:_vmrunctl_second" quote " \\\n\t" quote "3:argument:_vmrunctl_argument" quote
}

function zsh_commands(    i)
{
	print "_vmrunctl_commands()\n{\n\tlocal -a list=("
	for (i = 1; i <= commands; i++)
		print "\t\t" quote command[i] ":" zsh_text(command_help[i]) quote
	print "\t)\n\t_describe command list\n}"
	print "_vmrunctl_names()\n{\n\tlocal -a list=(${(f)\"$(" names ")\"})\n\tcompadd -a list\n}"
	print "_vmrunctl_first()\n{\n\t_vmrunctl_commands\n\t_vmrunctl_names\n}"
	print "_vmrunctl_second()\n{\n\tif [[ \" " command_list " \" == *\" $line[1] \"* ]]; then"
	print "\t\t_vmrunctl_names\n\telse\n\t\t_vmrunctl_commands\n\tfi\n}"
	print "_vmrunctl_argument()\n{\n\tcase \" $line[1] $line[2] \" in"
	print "\t*" quote " run " quote "*) _files ;;"
	print "\t*" quote " forget " quote "*) compadd " stateful " ;;\n\tesac\n}"
}

# --- fish ---

function fish_quote(text)
{
	gsub(/[\\]/, "\\\\\\\\", text)
	gsub(quote, "\\" quote, text)
	return quote text quote
}

function fish(    i, k, line)
{
	header("#")
	print "complete -c " program " -f"
	if (commands == 0)
		print "complete -c " program " -k -a " quote "(__fish_complete_suffix ." fish_suffixes() ")" quote
	else
		fish_commands()
	for (i = 1; i <= options; i++) {
		k = kind(i)
		line = "complete -c " program
		if (letter[i] != "")
			line = line " -s " substr(letter[i], 2)
		if (long[i] != "")
			line = line " -l " substr(long[i], 3)
		line = line (k == "none" ? "" : k == "file" || k == "spec" ? " -r -F" : k == "hook" ? " -r -F -a " quote hooks quote : \
		    k == "directory" ? " -x -a " quote "(__fish_complete_directories)" quote : \
		    k == "words" ? " -x -a " quote words_of[i] quote : " -x")
		print line " -d " fish_quote(help[i])
	}
}

function fish_suffixes(    list)
{
	list = extensions
	gsub(/ /, " .", list)
	return list
}

function fish_commands(    i, seen)
{
	seen = "not __fish_seen_subcommand_from " command_list
	for (i = 1; i <= commands; i++)
		print "complete -c " program " -n " quote seen quote " -a " command[i] " -d " fish_quote(command_help[i])
	print "function __" program "_names\n\t" names "\nend"
	print "complete -c " program " -a " quote "(__" program "_names)" quote " -d VM"
	print "complete -c " program " -n " quote "__fish_seen_subcommand_from run" quote " -F"
	print "complete -c " program " -n " quote "__fish_seen_subcommand_from forget" quote " -a " quote stateful quote
}

# --- tcsh ---

function csh(    i, k, longs, letters)
{
	header("#")
	for (i = 1; i <= options; i++) {
		longs = longs (long[i] == "" ? "" : " " substr(long[i], 3))
		letters = letters (letter[i] == "" ? "" : " " substr(letter[i], 2))
	}
	print "complete " program " " quote "c/--/(" substr(longs, 2) ")/" quote " " quote "c/-/(" substr(letters, 2) " -)/" quote " \\"
	for (i = 1; i <= options; i++) {
		k = kind(i)
		k = k == "words" ? "(" words_of[i] ")" : k == "hook" ? "(" hooks ")" : k == "directory" ? "d" : \
		    k == "spec" ? csh_spec() : k == "file" ? "f" : "x:" argument_of[i]
		if (kind(i) == "none")
			continue
		if (letter[i] != "")
			print "\t" quote "n/" letter[i] "/" k "/" quote " \\"
		if (long[i] != "")
			print "\t" quote "n/" long[i] "/" k "/" quote " \\"
	}
	if (commands == 0)
		print "\t" quote "p/*/" csh_spec() "/" quote
	else
		print "\t" quote "n/run/f/" quote " " quote "p/*/(" command_list ")/" quote
}

function csh_spec(    list)
{
	list = extensions
	gsub(/ /, ",", list)
	return "f:*.{" list "}"
}
