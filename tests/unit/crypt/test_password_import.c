/* Passwords as other servers keep them, made by other programs (python3 -c 'import hashlib ...', doveadm's
 * documented forms); what is not well formed is nobody's password. */
#include "crypt/password_import.h"

#include <string.h>

#include "check.h"
#include "crypt/password.h"

static const char password[] = "p\xc3\xa4ss w0rd";

static const char *const right[] = {
    "{SHA}NnUMOWDcQ+gRiWrSz52yu5BfREo=",
    "{SHA1}NnUMOWDcQ+gRiWrSz52yu5BfREo=",
    "{SHA256}NQ4A+/F4nn4xhx9m/2nXIAkE5Km9qgZ8G/psEH6k72w=",
    "{SHA512}xXTwJg/9q/73Wj3awWPPzEPV6tLk84UbGB+b4+HvOlFn96WovWUdff0Lh6+nuUskBk4l3hLGc1vdzEfDG3YGxw==",
    "{LDAP-MD5}7KXhq9PKq6CrFRg18h3CfA==",
    "{SSHA}TS3tcLdHB4Y4aNR75hRhY3mdoRExMjM0NTY3OA==",
    "{SSHA256}UrYctd5VwfFZ8UH4OrZFQHuewtQe+vXVk02DmUDFGiQxMjM0NTY3OA==",
    "{SSHA512}nWjuH1Np7uAW5dMTZrWc+71n+MnQtDsDvjF4JQPKtHkqsoxm5axEpAHjevUO4UN6T/4eLkQItlcC6+9QFuABqjEyMzQ1Njc4",
    "{SMD5}+592U10fRovaBMLIrgSTwjEyMzQ1Njc4",
    "{PLAIN-MD5}eca5e1abd3caaba0ab151835f21dc27c",
    "{plain-md5}ECA5E1ABD3CAABA0AB151835F21DC27C",
    "{SHA256.HEX}350e00fbf1789e7e31871f66ff69d7200904e4a9bdaa067c1bfa6c107ea4ef6c",
    "{ssha512.b64}nWjuH1Np7uAW5dMTZrWc+71n+MnQtDsDvjF4JQPKtHkqsoxm5axEpAHjevUO4UN6T/4eLkQItlcC6+9QFuABqjEyMzQ1Njc4",
    "{PBKDF2}$1$Salt12$5000$012e847bda22a2f2ee09c494331e8438571731d5",
    "{PLAIN}p\xc3\xa4" "ss w0rd",
    "{CLEARTEXT}p\xc3\xa4" "ss w0rd",
    "{SHA512-CRYPT}$6$EMaZjHeSR.ze3FL/$t7gkkYj3M2Rt9WyQmcJAwVASC.nkaN7u0kz.bW/1FXAMuSBSJXD1RTtL.srqiTMmex1nZwIaQf.LtR9oHQjEW0",
    "{CRYPT}$5$yhMq7hw4ZVNTpDLJ$dvXGNABUStQGpksddd1nR3wxi/yKGbjirPuLnlFyFR.",
    "{BLF-CRYPT}$2b$04$qEoGp7Uxj11Y4/iqauszR.6J5dkXvpTyZnGvQrIEunFeALyjP.ag6",
    "{MD5-CRYPT}$1$BjNbAalf$aeDKItGULt7d62tBB98iy.",
};

static const char *const old[] = {"$1$BjNbAalf$aeDKItGULt7d62tBB98iy.", "$1$$aeDKItGULt7d62tBB98iy.", "abJnggxhB/yWI"};
static const char *const not_old[] = {"",        "secret",         "$1$",          "$1$BjNbAalf$",    "$1$BjNbAalfx$aeDKItGULt7d62tBB98iy.", "abJnggxhB/yW",
                                      "abJnggxhB/yWIx", "abJnggxh!/yWI", "$1$BjNbAalf$aeDKItGULt7d62tBB98iy.x", "*", "!$1$BjNbAalf$aeDKItGULt7d62tBB98iy."};

static const char *const bad[] = {
    "{SHA}",
    "{SHA}!!!",
    "{SHA}QUJD",
    "{SSHA}NnUMOWDcQ+gRiWrSz52yu5BfREo=",
    "{PLAIN-MD5}abc",
    "{PLAIN-MD5}zz000000000000000000000000000000",
    "{NONE}x",
    "{SHA",
    "{}x",
    "{PBKDF2}$1$s$0$0000000000000000000000000000000000000000",
    "{PBKDF2}$1$s$99999999999$0000000000000000000000000000000000000000",
    "{PBKDF2}$2$s$1$0000000000000000000000000000000000000000",
    "{PBKDF2}$1$s$1$00",
    "{PBKDF2}",
    "{CRYPT}",
    "{CRYPT}{PLAIN}x",
    "{SHA256.BIN}AAAA",
    "{CRYPT}*",
};

int main(void) {
  struct strerr e;

  for (size_t i = 0; i < sizeof right / sizeof *right; ++i) {
    char shorter[512];
    size_t n = strlen(right[i]);

    CHECK_CASE(password_import_verify(password, right[i], &e) == 1, right[i]);
    CHECK_CASE(password_verify(password, right[i], &e) == 1, right[i]);
    CHECK_CASE(password_verify("another", right[i], &e) == 0, right[i]);
    CHECK_CASE(password_is_imported(right[i]), right[i]);
    CHECK_CASE(password_is_weaker(right[i], PASSWORD_SHA256), right[i]);
    for (size_t cut = 0; cut < n; ++cut) { /* no beginning of it is another way in */
      memcpy(shorter, right[i], cut);
      shorter[cut] = 0;
      CHECK_CASE(password_import_verify(password, shorter, &e) == 0, shorter);
    }
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; ++i) {
    CHECK_CASE(password_import_verify(password, bad[i], &e) == 0, bad[i]);
    CHECK_CASE(password_verify("", bad[i], &e) == 0, bad[i]);
    CHECK_CASE(!password_is_imported(bad[i]), bad[i]);
  }
  for (size_t i = 0; i < sizeof old / sizeof *old; ++i) {
    CHECK_CASE(password_is_old_hash(old[i]), old[i]);
    CHECK_CASE(password_is_weaker(old[i], PASSWORD_SHA256), old[i]);
  }
  for (size_t i = 0; i < sizeof not_old / sizeof *not_old; ++i) CHECK_CASE(!password_is_old_hash(not_old[i]), not_old[i]);
  return check_done();
}
