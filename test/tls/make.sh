#!/bin/sh
# Makes the certificates of this folder anew, by openssl; see README.md.
set -eu
cd "$(dirname "$0")"
days=36500

key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

key ca.key
openssl req -x509 -new -key ca.key -sha256 -days $days -subj '/CN=Keyhole tests' \
  -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign,cRLSign' -out ca.crt

# NAME SUBJECT-ALTERNATIVE-NAMES
signed() {
  key "$1.key"
  extensions=$(mktemp)
  printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=%s\n' "$2" > "$extensions"
  openssl req -new -key "$1.key" -subj "/CN=$1" |
    openssl x509 -req -sha256 -days $days -CA ca.crt -CAkey ca.key -set_serial "0x$(openssl rand -hex 16 | sed 's/^./1/')" \
      -extfile "$extensions" -out "$1.crt" 2>/dev/null
  rm "$extensions"
}

signed server 'DNS:localhost,DNS:*.test.example,IP:127.0.0.1,IP:::1'
signed other 'DNS:other.example'

key untrusted.key
openssl req -x509 -new -key untrusted.key -sha256 -days $days -subj '/CN=untrusted' \
  -addext 'subjectAltName=DNS:localhost,DNS:*.test.example,IP:127.0.0.1,IP:::1' -out untrusted.crt
rm ca.key
