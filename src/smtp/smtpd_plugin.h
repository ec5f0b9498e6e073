/* smtpd_plugin: what a plugin of qmail-smtpd is compiled against; see qmail-smtp-plugin(8).  The
 * interface does not change without its version. */
#ifndef SMTP_SMTPD_PLUGIN_H
#define SMTP_SMTPD_PLUGIN_H

#define SMTPD_PLUGIN_VERSION 1
#define SMTPD_PLUGIN_VERSION_SYMBOL "smtpd_plugin_version"

/* Called behind the checks of the server itself, each a null pointer where the plugin has no
 * opinion.  0: nothing against it.  Anything else refuses, and *reply, null before, is what the client
 * is told: "550 5.7.1 text\r\n", 4xx for a temporary refusal; several lines as in SMTP.  It is read
 * before the next call and not freed.  The null sender is "". */
struct smtpd_plugin {
  int (*mail)(const char *remote_ip, const char *sender, char **reply);
  int (*rcpt)(const char *remote_ip, const char *sender, const char *recipient, char **reply);
  int (*data)(const char *local_host, const char *remote_ip, const char *remote_host, const char *remote_info, char **reply);
};

/* The plugin's function, $SMTP_PLUGIN_SYMB, called once for each connection.  Null: the plugin
 * cannot work now, and mail is refused for now. */
typedef struct smtpd_plugin *(*smtpd_plugin_init)(void);

/* A plugin that cares exports this too: const int smtpd_plugin_version = SMTPD_PLUGIN_VERSION.  With
 * another value than ours it is not used. */

#endif
