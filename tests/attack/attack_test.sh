#!/usr/bin/env bash
# Every hostile plugin is contained, and a neighbour answers meanwhile. The worker is the one the tests run against; the host's
# side of the fence (host/sandbox) is built into the harness.
# It runs alone: that a neighbour answers is told in milliseconds.
cd "$(dirname "$0")/../.." || exit 2
make -s BUILD="${BUILD:-build}" attack
