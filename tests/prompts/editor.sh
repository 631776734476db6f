# Stands for the user's editor: run with --wait and the file, as `code --wait` is. The first time it leaves a text that the
# placeholder refuses, the second time one that it takes.
[ "$1" = --wait ] || exit 1
if [ "$(cat "$2")" = 'Nothing yet.' ]; then
    printf 'First line\nno end\n' >"$2"
else
    printf 'First line\n\nThe end.\n' >"$2"
fi
