// SPDX-License-Identifier: Apache-2.0

package ejabberdconf

// Stores are what Config.InSQL knows of: the modules whose data ejabberd keeps in SQL or elsewhere.
var Stores = []string{
	"mod_invites", "mod_last", "mod_mam", "mod_muc", "mod_offline", "mod_private", "mod_pubsub", "mod_push", "mod_roster", "mod_vcard", OAuth,
}

// OAuth is the one of the Stores that is no module: an option decides where it is.
const OAuth = "oauth"

// storage finds what each vhost keeps in SQL. A module that is not loaded keeps nothing, whatever its table holds from earlier.
func (r *reader) storage() {
	inSQL, elsewhere := map[string][]string{}, map[string][]string{}
	for _, vhost := range r.Hosts {
		fallback := r.options.text(vhost, "default_db", "mnesia")
		for _, store := range Stores {
			backend := ""
			if m, ok := r.options.module(vhost, store); ok {
				backend = m.text("db_type", fallback)
			} else if store == OAuth {
				backend = r.options.text(vhost, "oauth_db_type", fallback)
			}
			switch {
			case isSQL(backend):
				inSQL[store] = append(inSQL[store], vhost)
			case backend != "" && store != OAuth: // which has no module that says whether it is used
				elsewhere[store] = append(elsewhere[store], vhost)
			}
		}
		if m, ok := r.options.module(vhost, "mod_muc"); ok && isSQL(m.text("ram_db_type", r.options.text(vhost, "default_ram_db", "mnesia"))) {
			r.RoomsInSQL = append(r.RoomsInSQL, vhost)
		}
	}
	if len(inSQL) > 0 {
		r.InSQL = inSQL
	}
	if len(elsewhere) > 0 {
		r.Elsewhere = elsewhere
	}
}
