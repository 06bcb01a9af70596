// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/service"
)

// takePictures shows the status page to a browser and keeps what it sees, first as it is, then with ejabberd killed.
func (d *demo) takePictures(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	browser, err := service.StartBrowser()
	if err != nil {
		return fmt.Errorf("%w: is Debian's chromium installed?", err)
	}
	defer browser.Stop()
	take := func(name string, view service.View) error {
		tab, err := browser.Open(ctx, d.exporter.url+"/", view)
		if err != nil {
			return err
		}
		picture, err := tab.Picture(ctx)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "status-"+name+".png"), picture, 0o644)
	}
	for _, p := range []struct {
		name string
		service.View
	}{
		{"light", service.View{Width: 1200, Height: 1104}},
		{"dark", service.View{Width: 1200, Height: 1104, Dark: true}},
		{"phone", service.View{Width: 390, Height: 844, Scale: 2, Dark: true}},
	} {
		if err := take(p.name, p.View); err != nil {
			return err
		}
	}
	d.Ejabberd.Kill()
	d.exporter.stop() // another one has no older numbers
	if err := d.startExporter(ctx); err != nil {
		return err
	}
	if _, err := d.exporter.page(ctx); err != nil {
		return err
	}
	return take("down", service.View{Width: 1200, Height: 900})
}
