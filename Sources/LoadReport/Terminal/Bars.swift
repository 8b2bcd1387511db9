/// Bars and small charts made of characters.
package enum Bars {
    private static let blocks: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    private static let ascii: [Character] = ["_", ".", ":", "-", "=", "+", "*", "#"]

    /// The last `width` values, one character each, scaled from zero to their maximum.
    package static func sparkline(_ values: [Double], width: Int, blocks areBlocks: Bool) -> String {
        let shown = values.suffix(max(0, width)).map { $0.isFinite ? max(0, $0) : 0 }
        let top = shown.max() ?? 0
        let levels = areBlocks ? blocks : ascii
        return String(
            shown.map { value in
                guard top > 0 else { return levels[0] }
                // Rounded up, so that a small value differs from zero.
                let level = Int((value / top * Double(levels.count)).rounded(.up)) - 1
                return levels[min(max(level, 0), levels.count - 1)]
            })
    }

    /// A progress bar of `width` characters for a share from 0 to 1, in two parts: done and left.
    package static func progress(_ share: Double, width: Int, blocks: Bool) -> (done: String, left: String) {
        let share = share.isFinite ? min(max(share, 0), 1) : 0
        guard blocks else {
            let done = Int(Double(width) * share)
            return (String(repeating: "#", count: done), String(repeating: ".", count: max(0, width - done)))
        }
        let halves = Int(Double(width * 2) * share)
        let done = String(repeating: "━", count: halves / 2) + (halves.isMultiple(of: 2) ? "" : "╸")
        return (done, String(repeating: "─", count: max(0, width - done.count)))
    }
}
