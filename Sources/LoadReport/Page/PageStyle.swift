/// The page's style sheet. It refers to no external resource.
enum PageStyle {
    /// The colours of runs: distinguishable with colour blindness, and in contrast with the background in light and in
    /// dark mode. The key of each run (`A`, `B`) carries the same information.
    static let runColours: [(light: String, dark: String)] = [
        ("#1d63c9", "#6aaeff"), ("#c2410c", "#ff9b5c"), ("#0f766e", "#3fd0bd"), ("#9333a8", "#d79bf5"),
        ("#946200", "#e8c34a"), ("#be185d", "#ff8ab5"), ("#4d7c0f", "#a5d65a"), ("#52596b", "#b6bdcc"),
    ]

    static var sheet: Markup { "\(colours)\(Markup(stringLiteral: rules))" }

    private static var colours: Markup {
        let light = runColours.enumerated().map { "--run\($0.offset): \($0.element.light);" as Markup }
        let dark = runColours.enumerated().map { "--run\($0.offset): \($0.element.dark);" as Markup }
        let classes = runColours.indices.map { ".run\($0) { --run: var(--run\($0)); }\n" as Markup }
        return """
            :root { color-scheme: light dark; --ground: #f6f7f9; --card: #ffffff; --ink: #171a21; --quiet: #596273;
            --line: #dfe3ea; --good: #0b6b46; --good-ground: #e3f5ec; --bad: #b3151f; --bad-ground: #fdeaea;
            --warning: #8a5300; --warning-ground: #fdf3dc; --shadow: 0 1px 2px rgb(16 24 40 / .06); \(light) }
            @media (prefers-color-scheme: dark) { :root { --ground: #0f1217; --card: #181c23; --ink: #eceff4;
            --quiet: #a1abbb; --line: #2c323d; --good: #5fd8a0; --good-ground: #12291f; --bad: #ff8a8a;
            --bad-ground: #351a1c; --warning: #f1bf62; --warning-ground: #30260f; --shadow: none; \(dark) } }
            \(classes)
            """
    }

    private static let rules = """
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--ground); color: var(--ink);
          font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", sans-serif; }
        main, header, footer { max-width: 1120px; margin: 0 auto; padding: 0 24px; }
        header { padding-top: 32px; } footer { padding-bottom: 48px; color: var(--quiet); font-size: 13px; }
        h1 { font-size: 24px; line-height: 1.25; letter-spacing: -.01em; margin: 0; overflow-wrap: anywhere; }
        h2 { font-size: 16px; margin: 0 0 4px; }
        .about { color: var(--quiet); margin: 4px 0 0; overflow-wrap: anywhere; }
        section { margin: 20px 0; }
        .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; padding: 18px 20px;
          box-shadow: var(--shadow); min-width: 0; }
        .card > p { margin: 0 0 10px; color: var(--quiet); font-size: 13px; max-width: 76ch; }
        .verdict { display: flex; gap: 12px; align-items: flex-start; border-radius: 12px; padding: 14px 18px;
          font-weight: 600; }
        .verdict p { margin: 0; } .verdict .more { font-weight: 400; }
        .verdict svg { width: 24px; height: 24px; flex: none; fill: none; stroke: currentColor; stroke-width: 2.2;
          stroke-linecap: round; stroke-linejoin: round; }
        .good { color: var(--good); } .bad { color: var(--bad); } .warning { color: var(--warning); }
        .verdict.good { background: var(--good-ground); } .verdict.bad { background: var(--bad-ground); }
        .caution { background: var(--warning-ground); color: var(--warning); border-radius: 12px; padding: 10px 18px;
          margin: 10px 0 0; }
        .caution ul { margin: 0; padding-left: 20px; }
        .runs { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(250px, 100%), 1fr)); }
        .run { border-top: 4px solid var(--run); display: flex; flex-direction: column; }
        .run .facts { margin-top: auto; }
        .run h2 { display: flex; gap: 8px; align-items: center; overflow-wrap: anywhere; font-size: 17px; }
        .run .about { font-size: 13px; margin: 2px 0 14px; }
        .badge-text { background: var(--run); color: var(--card); border-radius: 999px; min-width: 22px; height: 22px;
          padding: 0 6px; display: inline-flex; align-items: center; justify-content: center; font-size: 12px;
          font-weight: 700; flex: none; line-height: 1; }
        .facts { display: grid; gap: 12px 20px; grid-template-columns: repeat(auto-fit, minmax(84px, 1fr)); margin: 0; }
        .facts div { min-width: 0; } .facts .wide { grid-column: 1 / -1; }
        @media (min-width: 720px) { .alone .facts { grid-template-columns: 2fr repeat(5, 1fr); align-items: end; }
          .alone .facts .wide { grid-column: auto; } }
        dt { color: var(--quiet); font-size: 12.5px; }
        dd { margin: 0; font-size: 18px; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
        .wide dd { font-size: 32px; line-height: 1.15; letter-spacing: -.02em; }
        dd small { font-size: 13px; font-weight: 400; color: var(--quiet); letter-spacing: 0; white-space: normal; }
        .pair { display: grid; gap: 16px; grid-template-columns: repeat(auto-fit, minmax(min(440px, 100%), 1fr)); }
        .legend { list-style: none; padding: 0; margin: 2px 0 8px; display: flex; flex-wrap: wrap; gap: 4px 16px;
          font-size: 13px; }
        .legend li { display: flex; gap: 6px; align-items: center; overflow-wrap: anywhere; min-width: 0; }
        .legend .badge-text { min-width: 18px; height: 18px; font-size: 11px; padding: 0 4px; }
        .chart svg { display: none; width: 100%; height: auto; }
        .chart .large { display: block; } .pair .chart .large { display: none; } .pair .chart .medium { display: block; }
        @media (max-width: 860px) { .chart .large { display: none; } .chart .medium { display: block; } }
        svg text { fill: var(--quiet); font-size: 12px; font-variant-numeric: tabular-nums; }
        svg .grid { stroke: var(--line); } svg .base { stroke: var(--quiet); stroke-opacity: .6; }
        svg .line { fill: none; stroke: var(--run); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
        svg .shade { fill: var(--run); fill-opacity: .12; }
        svg .goal { stroke: var(--run); stroke-width: 1.5; stroke-dasharray: 5 5; stroke-opacity: .8; }
        svg .mark { fill: var(--card); stroke: var(--run); stroke-width: 2; }
        svg .touch { fill: transparent; } svg .touch:hover { fill: var(--run); fill-opacity: .35; }
        svg .badge { fill: var(--run); } svg .key { fill: var(--card); font-weight: 700; font-size: 11px; }
        svg .alarm { fill: var(--bad); stroke: var(--card); }
        .scroll { overflow-x: auto; }
        table { border-collapse: separate; border-spacing: 0; font-variant-numeric: tabular-nums; font-size: 14px; }
        .figures { width: 100%; table-layout: fixed; }
        .figures thead td { width: 176px; }
        th, td { padding: 5px 12px; text-align: right; white-space: nowrap; font-weight: 400; }
        th:first-child, td:first-child { text-align: left; padding-left: 2px; }
        thead th { font-weight: 600; vertical-align: bottom; white-space: normal; }
        .figures thead th { overflow-wrap: anywhere; }
        tbody th[scope=row] { color: var(--quiet); position: sticky; left: 0; background: var(--card); }
        tbody th.part { padding-left: 20px; }
        tbody th[scope=rowgroup] { text-align: left; font-weight: 600; padding-top: 16px; font-size: 13px; }
        tbody tr + tr > * { border-top: 1px solid var(--line); }
        td.strong { font-weight: 700; } td.bad { font-weight: 700; } td.quiet { color: var(--quiet); }
        .kinds th, .kinds td { text-align: left; white-space: normal; vertical-align: top; }
        .kinds td.number { text-align: right; white-space: nowrap; }
        .spread { width: 100%; table-layout: fixed; } .spread td { padding-right: 2px; }
        .spread thead :nth-child(2) { width: 110px; } .spread thead :nth-child(3) { width: 80px; }
        .spread thead td { width: 45%; }
        .spread rect { fill: var(--run); } .spread svg { display: block; width: 100%; height: 12px; }
        .spread .back { fill: var(--line); } .spread tbody th { overflow-wrap: anywhere; white-space: normal; }
        .examples { margin: 6px 0 0; padding-left: 18px; font: 13px/1.5 ui-monospace, "DejaVu Sans Mono", monospace;
          overflow-wrap: anywhere; }
        .notes dt { color: var(--ink); font-weight: 600; font-size: 14px; margin-top: 10px; }
        .notes dd { font-size: 14px; font-weight: 400; white-space: normal; color: var(--quiet); max-width: 80ch; }
        @media (max-width: 520px) { main, header, footer { padding-left: 12px; padding-right: 12px; }
          .card { padding: 14px; } th, td { padding: 5px 8px; } .figures thead td { width: 140px; }
          .spread thead :nth-child(2) { width: 76px; } .spread thead :nth-child(3) { width: 64px; } .spread thead td { width: 18%; }
          .chart .medium, .pair .chart .medium { display: none; }
          .chart .small { display: block; } .wide dd { font-size: 28px; } }
        @media print { body { background: none; } .card { break-inside: avoid; box-shadow: none; } }

        """
}
