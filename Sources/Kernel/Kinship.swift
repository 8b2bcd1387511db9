import CLinux

/// What this process is to those that it starts, and to the one that started it.
public enum Kinship {
    /// Has this process end, by `signal`, when the thread that started it ends. Kept when it executes another program.
    public static func endWithParent(_ signal: CInt) { _ = berth_end_with_parent(signal) }

    /// Makes this process the parent of its descendants whose own parent has ended.
    public static func adoptOrphans() { _ = berth_adopt_orphans() }
}
