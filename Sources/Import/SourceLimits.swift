/// Bounds of what is read, so that no source takes endless work.
enum SourceLimits {
    /// Bytes of one file.
    static let fileBytes = 1 << 20
    /// Bytes of all files, a file that is included twice counted twice.
    static let bytes = 4 << 20
    /// Files that are included, each time counted.
    static let files = 200
    /// How deep files include each other.
    static let includeDepth = 8
    /// How deep blocks stand in each other.
    static let blockDepth = 24
    /// Directives, or lines that say something.
    static let statements = 50_000
    /// Words of a directive.
    static let words = 2_000
}
