// SPDX-License-Identifier: Apache-2.0

package probes

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/web"
)

var (
	httpPut = service{name: "http-put", port: 443, direct: true}
	httpGet = service{name: "http-get", port: 443, direct: true}
)

var (
	putDuration = gauge("probe_xmpp_upload_put_duration_seconds",
		"How long it took to upload a file, connecting included", metric.Max)
	getDuration = gauge("probe_xmpp_upload_get_duration_seconds",
		"How long it took to fetch the file again, connecting included, at the slowest address", metric.Max)
	maxFileSize = gauge("probe_xmpp_upload_max_file_size_bytes",
		"Size of the largest file that the upload service takes, as it says", metric.Min)
)

// Upload probes that files can be uploaded and fetched.
func Upload(authenticate Authenticate) Probe {
	return Probe{
		Name:    "upload",
		Help:    "A file can be uploaded and fetched again unchanged (XEP-0363), over the name and certificate that users see, and one that is too large is refused",
		LogsIn:  true,
		Metrics: with(putDuration, getDuration, maxFileSize),
		Figures: sessionFigures(
			phaseFigure(Slot),
			Figure{Label: "put", Unit: "s", Min: "0", Value: plainFigure("", putDuration).Value},
			Figure{Label: "get", Unit: "s", Min: "0", Value: plainFigure("", getDuration).Value},
			Figure{Label: "max_file_size", Unit: "B", Min: "0", Value: plainFigure("", maxFileSize).Value},
		),
		Thresholds: timeThresholds,
		Settings: func(set *Settings) Run {
			read := declareClient(set)
			var a accountSettings
			a.declare(set, "", passwordVariable, "to upload with: one of its own, with a small quota, since files cannot be deleted")
			size := fileSize(1024)
			set.Var(&size, Local, "size", "Size of the file in bytes, 262144 at most")
			return func(ctx context.Context, target Target, out *Report) error {
				s, services := read()
				return probeUpload(ctx, s, services, uploadSettings{authenticate, a, int(size)}, target, out)
			}
		},
	}
}

// fileSize is a number of bytes that may be uploaded, and fetched again.
type fileSize int

func (n *fileSize) String() string { return strconv.Itoa(int(*n)) }

func (n *fileSize) Set(text string) error {
	size, err := strconv.Atoi(text)
	if err != nil || size < 1 || size > web.MaxBody {
		return fmt.Errorf("a number from 1 to %d", web.MaxBody)
	}
	*n = fileSize(size)
	return nil
}

// uploadSettings are what upload alone can be told.
type uploadSettings struct {
	authenticate Authenticate
	account      accountSettings
	size         int
}

func probeUpload(ctx context.Context, settings endpointSettings, services []service, u uploadSettings, target Target, out *Report) error {
	e, err := settings.start()
	if err != nil {
		return err
	}
	who, err := u.account.read(target.Domain)
	if err != nil {
		return err
	}
	ctx, cancel := early(ctx)
	defer cancel()
	s, err := e.enter(ctx, target.Domain, services, nil, out)
	if s == nil {
		return err
	}
	defer s.end(ctx)
	if _, _, err := s.logIn(ctx, u.authenticate, who); err != nil {
		return err
	}
	var place uploadService
	var granted slot
	if err := s.phase(Slot, func() (err error) {
		if place, err = s.findUpload(ctx, target.Domain); err != nil {
			return err
		}
		if place.limit > 0 {
			out.Set.Add(maxFileSize, float64(place.limit))
		}
		granted, err = s.requestSlot(ctx, place.host, u.size)
		return err
	}); err != nil {
		return err
	}
	content := make([]byte, u.size)
	_, _ = rand.Read(content) // never fails
	if !s.transfer(ctx, granted, content) {
		return nil
	}
	s.tryTooLarge(ctx, place)
	put, _ := out.Set.Get(putDuration)
	get, _ := out.Set.Get(getDuration)
	out.also(fmt.Sprintf("%d bytes uploaded in %s and fetched in %s", u.size, inSeconds(put), inSeconds(get)))
	return nil
}

// tryTooLarge asks for a slot for one byte more than the service says it takes. It comes last: what is granted may evict files.
func (s *session) tryTooLarge(ctx context.Context, place uploadService) {
	if place.limit == 0 {
		s.out.Note(OK, place.host, "says no size that would be too large")
		return
	}
	_, err := s.requestSlot(ctx, place.host, place.limit+1)
	refused, known := errors.AsType[*Failure](err)
	switch {
	case err == nil:
		s.out.complain(place.host, Slot, &Failure{Reason: Protocol, Err: fmt.Errorf("a file of more than the %d bytes that it takes is not refused", place.limit)})
	case !known || refused.Reason != Refused:
		s.out.complain(place.host, Slot, err)
	default:
		s.out.Note(OK, place.host, fmt.Sprintf("takes %d bytes and refuses more", place.limit))
	}
}

// transfer uploads to the first address that takes the file, and fetches it from every address of every family. It tells
// whether all went well; what did not stands in the Report.
func (s *session) transfer(ctx context.Context, granted slot, content []byte) (good bool) {
	b := s.engine.elsewhere()
	half, cancel := share(ctx, 2)
	up := b.locate(half, []page{{httpPut, granted.put}})
	took := time.Duration(0)
	for n, at := range up.endpoints {
		one, cancel := share(half, len(up.endpoints)-n)
		v := b.visitWith(one, at, func(ctx context.Context, c *browser) {
			c.phase(Put, func() error { return c.upload(ctx, granted, content) })
		})
		cancel()
		up.visits = append(up.visits, v)
		if took = v.total(); v.took[Put] > 0 || v.failure != nil && v.failure.Phase == Put {
			break // a slot is good for one try
		}
	}
	cancel()
	stored := slices.ContainsFunc(up.visits, func(v *visit) bool { return v.took[Put] > 0 })
	all := &survey{}
	all.merge(up)
	if stored {
		s.out.Set.Add(putDuration, took.Seconds())
		down := b.locate(ctx, []page{{httpGet, granted.get}})
		down.tour(ctx, func(ctx context.Context, at endpoint) *visit {
			return b.visitWith(ctx, at, func(ctx context.Context, c *browser) {
				c.phase(Get, func() error { return c.download(ctx, content) })
			})
		})
		all.merge(down)
	}
	if b.anyFamily {
		all.relax()
	}
	bind(s.found.bounds, slices.Concat(s.found.visits, all.visits))
	all.pour(s.out, func(v *visit) string { return v.said })
	good = stored && len(all.faults) == 0
	for _, v := range all.tested() {
		if v.name == httpGet.name && v.took[Get] > 0 {
			s.out.Set.Add(getDuration, v.total().Seconds())
		}
		good = good && v.state() != Critical
	}
	return good
}
