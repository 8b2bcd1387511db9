/// The routes of one location.
struct RankedRoutes {
    /// Its place in the order in which nginx tries locations, from 0.
    var rank: Int
    /// Its place in the source.
    var place: Int
    var routes: [ImportedRoute]

    private func overlaps(_ other: RankedRoutes) -> Bool {
        routes.contains { mine in
            other.routes.contains { theirs in mine.path.covers(theirs.path) || theirs.path.covers(mine.path) }
        }
    }

    /// The most locations that are compared with each other.
    private static let maximum = 300

    /// Locations as a reader of the source expects them: in its order, but where two of them match the same paths and nginx
    /// prefers the later one. `ranked`: in the order of their ranks.
    static func inOrderOfSource(_ ranked: [RankedRoutes]) -> [RankedRoutes] {
        guard ranked.count <= maximum else { return ranked }
        var list: [RankedRoutes] = []
        for item in ranked.sorted(by: { $0.place < $1.place }) {
            let index = list.firstIndex { $0.rank > item.rank && $0.overlaps(item) } ?? list.count
            list.insert(item, at: index)
        }
        for (index, item) in list.enumerated() {
            guard !list[index...].contains(where: { $0.rank < item.rank && $0.overlaps(item) }) else { return ranked }
        }
        return list
    }
}
