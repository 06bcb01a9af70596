// SPDX-License-Identifier: Apache-2.0

package statistics

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// patience is how long the document waits for what does not answer, and then leaves it out.
const patience = 4 * time.Second

// Handler serves the document. look finds the facts, and ends when its context does.
func Handler(look func(context.Context) Facts) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Type", `application/json; profile="http://nodeinfo.diaspora.software/ns/schema/2.1#"`)
		header.Set("X-Content-Type-Options", "nosniff")
		header.Set("Cache-Control", "public, max-age=300") // the accounts are counted no more often
		if r.Method == http.MethodHead {                   // whoever wants no document causes no load
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), patience)
		defer cancel()
		text := json.NewEncoder(w)
		text.SetIndent("", "  ")
		_ = text.Encode(look(ctx).document()) // who left needs nothing
	})
}
