// SPDX-License-Identifier: Apache-2.0

package collector

import (
	"context"
	"strconv"

	"github.com/chapril/ejabberd_exporter/internal/metric"
	"github.com/chapril/ejabberd_exporter/internal/uploads"
)

var (
	filesystemSize       = filesystemGauge("ejabberd_upload_filesystem_size_bytes", "Size of the file system that holds uploads")
	filesystemAvail      = filesystemGauge("ejabberd_upload_filesystem_avail_bytes", "Space left on it for ejabberd")
	filesystemInodes     = filesystemGauge("ejabberd_upload_filesystem_inodes", "Inodes of the file system that holds uploads; absent where it has no fixed number")
	filesystemInodesFree = filesystemGauge("ejabberd_upload_filesystem_inodes_free", "Inodes left on it; absent where it has no fixed number")
)

func filesystemGauge(name, help string) *metric.Metric {
	return &metric.Metric{
		Name: name, Help: help, Source: "statfs", Scope: metric.Filesystem,
		Labels: []metric.Label{metric.Like("filesystem", `[1-9][0-9]?`)},
	}
}

// UploadFilesystem tells how full the file systems are that hold uploads, each once, numbered in the order of the vhosts.
var UploadFilesystem = Definition{
	Name: "upload_filesystem", Source: Uploads,
	Help:    "Space and inodes left for uploads",
	Metrics: []*metric.Metric{filesystemSize, filesystemAvail, filesystemInodes, filesystemInodesFree},
	Collect: func(_ context.Context, src *Sources, out *metric.Set) error {
		if len(src.UploadStores) == 0 {
			return src.absent(errNoUploads)
		}
		seen := map[uint64]bool{}
		return eachStore(src, func(store *UploadStore) error {
			if err := uploads.Mounted(store.docroot); err != nil {
				return err
			}
			usage, err := uploads.FilesystemOf(store.docroot)
			if err != nil || seen[usage.Device] {
				return err
			}
			seen[usage.Device] = true
			number := strconv.Itoa(len(seen))
			out.Add(filesystemSize, float64(usage.Size), number)
			out.Add(filesystemAvail, float64(usage.Avail), number)
			if usage.Inodes > 0 {
				out.Add(filesystemInodes, float64(usage.Inodes), number)
				out.Add(filesystemInodesFree, float64(usage.InodesFree), number)
			}
			return nil
		})
	},
}
