// SPDX-License-Identifier: Apache-2.0

package main

import (
	"github.com/grafana/grafana-foundation-sdk/go/bargauge"
	"github.com/grafana/grafana-foundation-sdk/go/common"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/heatmap"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/statetimeline"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
)

// drawing makes a panel one of Grafana's kinds.
type drawing func(*dashboard.Panel)

// unknown is what stands where a number should be: never a 0 that nobody measured.
const unknown = "unknown"

// number is one number, or one for each series.
func number(l limits) drawing {
	return func(p *dashboard.Panel) {
		options := stat.NewOptions()
		options.GraphMode = common.BigValueGraphModeNone
		options.ColorMode = common.BigValueColorModeBackground
		options.TextMode = common.BigValueTextModeAuto // with the name, where there are several
		options.Orientation = common.VizOrientationAuto
		options.ReduceOptions = last()
		p.Type, p.Options = "stat", options
		coloured(p, l)
	}
}

// verdict is a number that stands for something.
func verdict(all []dashboard.ValueMapping) drawing {
	return func(p *dashboard.Panel) {
		number(neutral())(p)
		p.FieldConfig.Defaults.Mappings = all
	}
}

// share is a number of 0 to 1 for each series, as bars.
func share(l limits) drawing {
	return func(p *dashboard.Panel) {
		bars(l)(p)
		zero, one := 0.0, 1.0
		p.FieldConfig.Defaults.Min, p.FieldConfig.Defaults.Max = &zero, &one
	}
}

// bars are numbers beside each other.
func bars(l limits) drawing {
	return func(p *dashboard.Panel) {
		options := bargauge.NewOptions()
		options.DisplayMode = common.BarGaugeDisplayModeBasic
		options.Orientation = common.VizOrientationHorizontal
		options.NamePlacement = common.BarGaugeNamePlacementLeft
		options.ReduceOptions = last()
		p.Type, p.Options = "bargauge", options
		coloured(p, l)
	}
}

// lines are numbers over time, from 0 upwards.
func lines() drawing { return drawn(common.StackingModeNone) }

// layers are lines that add up to a whole.
func layers() drawing { return drawn(common.StackingModeNormal) }

func drawn(mode common.StackingMode) drawing {
	return func(p *dashboard.Panel) {
		options := timeseries.NewOptions()
		options.Legend.ShowLegend = true
		options.Tooltip = common.VizTooltipOptions{Mode: common.TooltipDisplayModeMulti, Sort: common.SortOrderDescending}
		custom := timeseries.NewFieldConfig()
		width, opacity, style, points := 1.0, 10.0, common.GraphDrawStyleLine, common.VisibilityModeNever
		if mode == common.StackingModeNormal {
			opacity = 40
		}
		custom.DrawStyle, custom.LineWidth, custom.FillOpacity, custom.ShowPoints = &style, &width, &opacity, &points
		custom.Stacking = &common.StackingConfig{Mode: &mode}
		p.Type, p.Options = "timeseries", options
		p.FieldConfig.Defaults.Custom = custom
		p.FieldConfig.Defaults.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdPaletteClassicByName}
		zero := 0.0
		p.FieldConfig.Defaults.Min = &zero
	}
}

// limited are lines with the limits drawn across.
func limited(l limits) drawing {
	return func(p *dashboard.Panel) {
		lines()(p)
		custom, _ := p.FieldConfig.Defaults.Custom.(*timeseries.FieldConfig)
		custom.ThresholdsStyle = &common.GraphThresholdsStyleConfig{Mode: common.GraphThresholdsStyleModeDashed}
		p.FieldConfig.Defaults.Thresholds = &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: l}
	}
}

// timeline is what was in which state when.
func timeline(all []dashboard.ValueMapping) drawing {
	return func(p *dashboard.Panel) {
		options := statetimeline.NewOptions()
		options.ShowValue = common.VisibilityModeNever
		options.Legend.ShowLegend = true
		options.Tooltip = common.VizTooltipOptions{Mode: common.TooltipDisplayModeSingle, Sort: common.SortOrderNone}
		p.Type, p.Options = "state-timeline", options
		p.FieldConfig.Defaults.Custom = statetimeline.NewFieldConfig()
		p.FieldConfig.Defaults.Mappings = all
		coloured(p, neutral())
	}
}

// clouds show how many are in which bucket over time.
func clouds() drawing {
	return func(p *dashboard.Panel) {
		options := heatmap.NewOptions()
		isOff := false
		mode, placement := heatmap.HeatmapColorModeScheme, common.AxisPlacementLeft
		options.Calculate = &isOff
		options.Color = heatmap.HeatmapColorOptions{Mode: &mode, Scheme: "Blues", Fill: calm, Exponent: 0.5, Steps: 64, Reverse: true}
		options.ShowValue = common.VisibilityModeAuto
		options.YAxis = heatmap.YAxisConfig{Unit: p.FieldConfig.Defaults.Unit, AxisPlacement: &placement}
		options.CellValues = &heatmap.CellValues{}
		options.Legend.Show = true
		options.Tooltip = heatmap.HeatmapTooltip{Mode: common.TooltipDisplayModeSingle}
		options.Exemplars.Color = calm
		p.Type, p.Options = "heatmap", options
	}
}

// list is a table: a row for each value of a label, a column for each query, named by its legend.
func list(label, heading string, columns ...string) drawing {
	return func(p *dashboard.Panel) {
		names, order := map[string]string{label: heading}, map[string]int{label: 0}
		for i, column := range columns {
			value := "Value #" + string(rune('A'+i))
			names[value], order[value] = column, i+1
		}
		options := table.NewOptions()
		options.Footer.Reducer = []string{}
		p.Type, p.Options = "table", options
		p.Transformations = []dashboard.DataTransformerConfig{
			{Id: "merge", Options: map[string]any{}},
			{Id: "organize", Options: map[string]any{
				"excludeByName": map[string]bool{"Time": true}, "indexByName": order, "renameByName": names,
			}},
		}
		coloured(p, neutral())
	}
}

func coloured(p *dashboard.Panel, l limits) {
	none := unknown
	p.FieldConfig.Defaults.NoValue = &none
	p.FieldConfig.Defaults.Color = &dashboard.FieldColor{Mode: dashboard.FieldColorModeIdThresholds}
	p.FieldConfig.Defaults.Thresholds = &dashboard.ThresholdsConfig{Mode: dashboard.ThresholdsModeAbsolute, Steps: l}
}

func last() common.ReduceDataOptions {
	return common.ReduceDataOptions{Calcs: []string{"lastNotNull"}}
}

// versions shows names instead of numbers.
func versions() drawing {
	return func(p *dashboard.Panel) {
		number(neutral())(p)
		if options, ok := p.Options.(*stat.Options); ok {
			options.TextMode = common.BigValueTextModeName
		}
	}
}
