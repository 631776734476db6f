#!/bin/sh
set -e
echo theirs
