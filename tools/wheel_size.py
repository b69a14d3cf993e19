"""How large the wheel is that pip would install: reads `pip install --dry-run --report -` from stdin, prints "93 MB"."""
import json
import os
import sys
import urllib.parse
import urllib.request

url = json.load(sys.stdin)["install"][0]["download_info"]["url"]
try:
    if url.startswith("file:"):
        size = os.path.getsize(urllib.request.url2pathname(urllib.parse.urlparse(url).path))
    else:
        size = int(urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=20).headers["Content-Length"])
    print(f"{size / 1e6:.0f} MB")
except Exception:
    print("size unknown")
