#!/bin/bash
# create-app:begin env
A=2
# create-app:end env
echo more
