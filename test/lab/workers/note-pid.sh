#!/bin/sh
# Miniflare starts this in workerd's place: it notes its pid and becomes workerd. A second start is refused (noclobber):
# Miniflare would start a killed workerd again, and in the lab a killed program stays dead until somebody starts it.
set -C
echo $$ >"$WORKERD_PID_FILE" || exit 1
exec "$WORKERD_BINARY" "$@"
