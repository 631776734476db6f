#!/bin/sh
# create-app:begin env
A=1
# create-app:end env
echo
