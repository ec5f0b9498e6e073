/* vproxy: copies between descriptors 0 and 1 and a connection to a host, after saying lines there. */
#include "base/fd.h"
#include "base/options.h"
#include "base/sigfd.h"
#include "net/pump.h"
#include "user/store.h"

#define FATAL "vproxy: fatal: "
#define USAGE "vproxy host port [line ...]"
#define CONNECT_SECONDS 60
#define IDLE_LEAST 30

int main(int argc, char **argv) {
  const struct option options[] = {{0, OPTION_FLAG, 0, 0}};
  int i = options_or_die(argc, argv, options, USAGE, 2, -1);
  const struct store_user nobody = {"", "", "", ""};
  const struct pump_side client = {0, 1};
  struct store s = STORE_INIT;
  struct store_place place;
  struct pump_count n;
  struct conf conf;
  struct strerr e;
  int64_t idle;

  sig_ignore_pipe();
  if (conf_load(&conf, CONF_LOGIN, &e) == -1 || store_place_of(&place, argv[i], argv[i + 1], &e) == -1 ||
      store_open(&s, &place, &nobody, deadline_in(CONNECT_SECONDS), &e) == -1)
    strerr_die(e.permanent ? 100 : 111, FATAL, &e);
  for (i += 2; i < argc; ++i)
    if (store_say(&s, &e, argv[i], (char *)0) == -1) strerr_die(111, FATAL, &e);
  idle = (int64_t)conf_number(&conf, SET_data_timeout);
  {
    const struct pump_side store = {s.fd, s.fd};

    if (pump(&client, &store, idle < IDLE_LEAST ? IDLE_LEAST : idle, &n, &e) == PUMP_FAILED) strerr_die(111, FATAL, &e);
  }
  return 0;
}
