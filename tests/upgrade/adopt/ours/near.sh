#!/bin/sh
set -e
echo mine
