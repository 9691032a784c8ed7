#!/usr/bin/env bash
# Afterword as a service on Debian or Ubuntu; on a machine that has it, an upgrade to this checkout.
#   sudo deploy/install.sh          asks before it upgrades
#   sudo deploy/install.sh --yes    does not ask
# The program lies in /opt/afterword, the project in /var/lib/afterword, backups in /var/backups/afterword.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

PROGRAM=/opt/afterword
PROJECT=/var/lib/afterword
BACKUPS=/var/backups/afterword

say() { printf '%s\n' "$@"; }
fail() { printf '%s\n' "$*" >&2; exit 1; }
has_systemd() { [[ -d /run/systemd/system ]]; }
as_afterword() { (cd "$PROJECT" && setpriv --reuid=afterword --regid=afterword --init-groups env HOME="$PROJECT" "$@"); }

[[ $(id -u) -eq 0 ]] || fail "Run it as root: sudo deploy/install.sh"
python3 -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null ||
  fail "Python 3.11 or newer with venv is needed: apt install python3 python3-venv"

if ! getent passwd afterword >/dev/null; then
  useradd --system --user-group --home-dir "$PROJECT" --no-create-home --shell /usr/sbin/nologin afterword
fi
install --directory --owner=afterword --group=afterword --mode=0700 "$PROJECT" "$BACKUPS"
install --directory --mode=0755 "$PROGRAM"

new=$PROGRAM/$(date -u +%Y%m%dT%H%M%SZ)
python3 deploy/environment.py "$new"

if [[ -e $PROGRAM/current && -e $PROJECT/config.toml ]]; then
  say "" "This upgrade:"
  as_afterword "$PROGRAM/current/bin/afterword" --version
  as_afterword "$new/bin/afterword" --version
  as_afterword "$new/bin/afterword" migrate --dry-run
  if [[ ${1:-} != --yes ]]; then
    read -r -p "Take a backup and go on? [y/N] " answer || answer=n
    [[ $answer == [yY]* ]] || { rm -rf "$new"; fail "Nothing was changed."; }
  fi
  as_afterword "$PROGRAM/current/bin/afterword" backup "$BACKUPS"
  if has_systemd; then systemctl stop afterword; fi
  if ! as_afterword "$new/bin/afterword" migrate; then
    rm -rf "$new"
    if has_systemd; then systemctl start afterword; fi
    fail "The version from before goes on."
  fi
fi

before=$(readlink "$PROGRAM/current" || true)
ln -sfn "$new" "$PROGRAM/current"
for old in "$PROGRAM"/2*Z; do # the one from before stays
  [[ $old == "$new" || $old == "$before" ]] || rm -rf "$old"
done

# `afterword` as its own user, in the project's folder, whoever calls it.
cat >/usr/local/bin/afterword <<'COMMAND'
#!/bin/sh
cd /var/lib/afterword 2>/dev/null || { echo "As root, or with sudo: sudo afterword $*" >&2; exit 2; }
program=/opt/afterword/current/bin/afterword
[ "$(id -u)" -eq 0 ] || exec "$program" "$@"
exec setpriv --reuid=afterword --regid=afterword --init-groups env HOME=/var/lib/afterword "$program" "$@"
COMMAND
chmod 0755 /usr/local/bin/afterword

if has_systemd; then
  install --mode=0644 deploy/afterword.service deploy/afterword-backup.service deploy/afterword-backup.timer /etc/systemd/system/
  systemctl daemon-reload
  systemctl enable --quiet afterword afterword-backup.timer
  systemctl start afterword-backup.timer
  if [[ -e $PROJECT/config.toml ]]; then systemctl restart afterword; fi
fi

if [[ -e $PROJECT/config.toml ]]; then
  say "" "Afterword is up to date. See that all is well: sudo afterword check"
else
  say "" "Next: sudo afterword init . --crm salesforce (or hubspot); edit $PROJECT/config.toml; sudo systemctl start afterword"
fi
