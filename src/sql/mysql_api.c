/* mysql_api: see mysql_api.h. */
#include "sql/mysql_api.h"

#include <dlfcn.h>
#include <string.h>

static const char *const usual[] = {"libmariadb.so.3", "libmariadb.so"};

static void *open_library(const char *file, struct strerr *e) {
  void *library = 0;

  if (*file) library = dlopen(file, RTLD_NOW | RTLD_LOCAL);
  for (size_t i = 0; !*file && !library && i < sizeof usual / sizeof *usual; ++i) library = dlopen(usual[i], RTLD_NOW | RTLD_LOCAL);
  if (!library) strerr_set(e, "unable to load the MariaDB client library: ", dlerror(), " (see mysql_lib in qmail-control(5))", (char *)0);
  return library;
}

/* A function pointer in the place of an object's: dlsym gives both by one type. */
static int find(void *library, const char *name, void *place) {
  void *symbol = dlsym(library, name);

  memcpy(place, &symbol, sizeof symbol);
  return symbol != 0;
}

const struct mysql_api *mysql_api_load(const char *file, struct strerr *e) {
  static struct mysql_api api;
  static int loaded;
  const char *missing = 0;
  void *library;

  if (loaded) return &api;
  library = open_library(file, e);
  if (!library) return 0;
#define F(name, result, arguments) \
  if (!missing && !find(library, #name, &api.name)) missing = #name;
  MYSQL_FUNCTIONS(F)
#undef F
  loaded = !missing;
  if (loaded) return &api;
  strerr_set(e, "the library ", *file ? file : usual[0], " is not MariaDB's client library: it has no ", missing, (char *)0);
  dlclose(library);
  return 0;
}
