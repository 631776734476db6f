#!/bin/sh
set -e
# create-app:begin env
A=mine
# create-app:end env
