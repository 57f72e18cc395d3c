vcl 4.1;

backend app { .host = "127.0.0.1"; .port = "APP_PORT"; }
backend down { .host = "127.0.0.1"; .port = "1"; }
backend silent { .host = "127.0.0.1"; .port = "SILENT_PORT"; .first_byte_timeout = 0.1s; }

sub vcl_recv {
  if (req.url ~ "^/deny/" && req.method == "OPTIONS") { return (synth(403)); }
  if (req.url ~ "^/methods/" && req.method !~ "^(GET|HEAD|POST|PUT|PURGE)$") { return (synth(405)); }
  if (req.url ~ "^/empty-204/" && req.method == "OPTIONS") { return (synth(204)); }
  if (req.url ~ "^/https/") { return (synth(750)); }
  if (req.url ~ "^/down/") { set req.backend_hint = down; }
  if (req.url ~ "^/slow/") { set req.backend_hint = silent; return (pass); }
  # Fewer variants in the cache, for the price that the app never sees an origin.
  if (req.url ~ "^/origin-removed/") { unset req.http.Origin; }
  # Varnish fetches what it hashes with GET.
  if (req.url ~ "^/all-hashed/") { return (hash); }
  # Fetch caches by origin, and compare with a list.
  if (req.url ~ "^/well/") {
    if (req.http.Origin !~ "^https://(app|admin)\.example\.com$") { unset req.http.Origin; }
    if (req.method == "OPTIONS") { return (synth(204)); }
  }
}

sub vcl_backend_response {
  set beresp.ttl = 1h;
  if (bereq.url ~ "^/vary-removed/") { unset beresp.http.Vary; }
}

sub vcl_deliver {
  if (req.url ~ "^/empty-204/") { set resp.http.Access-Control-Allow-Origin = "https://app.example.com"; }
  if (req.url ~ "^/end/") {
    if (req.http.Origin ~ "example\.com$") {
      set resp.http.Access-Control-Allow-Origin = req.http.Origin;
      set resp.http.Access-Control-Allow-Credentials = "true";
    }
    set resp.http.Vary = "Origin";
  }
  if (req.url ~ "^/only-200/" && resp.status == 200) {
    set resp.http.Access-Control-Allow-Origin = "https://app.example.com";
  }
  if (req.url ~ "^/list/") {
    set resp.http.Access-Control-Allow-Origin = "https://app.example.com https://admin.example.com";
  }
  if (req.url ~ "^/typo/") { set resp.http.Acess-Control-Allow-Origin = "https://app.example.com"; }
  if (req.url ~ "^/well/") { call cors; }
}

sub vcl_synth {
  if (resp.status == 750) {
    set resp.status = 301;
    set resp.http.Location = "https://" + req.http.Host + req.url;
    return (deliver);
  }
  if (req.url ~ "^/well/") { call cors; }
}

sub cors {
  set resp.http.Vary = "Origin";
  if (req.http.Origin) {
    set resp.http.Access-Control-Allow-Origin = req.http.Origin;
    set resp.http.Access-Control-Allow-Credentials = "true";
    set resp.http.Access-Control-Allow-Methods = "GET, PUT";
    set resp.http.Access-Control-Allow-Headers = "x-id";
  }
}
