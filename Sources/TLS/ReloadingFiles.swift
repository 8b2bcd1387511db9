/// Files that a context is made of.
package protocol ReloadableFiles: Sendable {
    associatedtype Context: Sendable

    /// Every file, in the order in which `context` wants their contents.
    var paths: [String] { get }

    /// Indices in `paths` of files that a context can do without: one that cannot be used holds up none of the others.
    var dispensable: Range<Int> { get }

    /// Makes a context of what was read from `paths`; nil stands for a file that it has to do without.
    func context(of contents: [[UInt8]?]) throws(TLSError) -> Context

    /// What is wrong with a context at `now` (seconds since 1970); nil if nothing is.
    func problem(of context: Context, at now: Int64) -> TLSError?

    /// Whether a dispensable file goes with what was read of the others.
    func isUsable(_ index: Int, in contents: [[UInt8]?]) -> Bool
}

extension ReloadableFiles {
    package var dispensable: Range<Int> { 0..<0 }
    package func isUsable(_ index: Int, in contents: [[UInt8]?]) -> Bool { false }
}

/// A server's context and its files.
package typealias ReloadingTLS = ReloadingFiles<TLSFiles>
/// A client's context and its files.
package typealias ReloadingClientTLS = ReloadingFiles<TLSClientFiles>

/// A context and the files it was made of: looked at now and then, it is made anew when they change.
package struct ReloadingFiles<Files: ReloadableFiles>: Sendable {
    /// What came of a look.
    package enum Change: Sendable {
        case none
        /// The files hold something else, and it is good.
        case renewed(Files.Context)
        /// The files hold something else that cannot be used; what was good before goes on. Said once for each
        /// version of the files.
        case refused(TLSError)
    }

    package let files: Files
    /// The last good one.
    package private(set) var context: Files.Context
    /// What `context` was made of.
    private var contents: [[UInt8]?]
    private var stamps: [FileStamp?]
    private var isSettled = false
    private var rejection = RejectionState.none

    /// What is thought of a version that cannot be used.
    private enum RejectionState: Equatable {
        case none
        /// Seen once: it may be half written.
        case fresh
        /// Said; so many looks ago.
        case said(Int)
    }

    /// Looks between two tries of a version that was refused: it may have been refused because it is not valid yet.
    private static var looksBetweenTries: Int { 120 }

    /// Reads the files, which must be good, but may be out of their time: that is for whoever checks them.
    package init(_ files: Files) throws(TLSError) {
        self.files = files
        stamps = files.paths.map { FileStamp($0) }
        contents = try Self.read(files)
        context = try files.context(of: contents)
    }

    /// Looks at the files; costs a `stat` of each unless one has changed. `now` is in seconds since 1970.
    package mutating func look(at now: Int64) -> Change {
        // Stamped before it is read: what changes in between is seen at the next look.
        let fresh = files.paths.map { FileStamp($0) }
        let isSame = fresh == stamps
        if isSame, isSettled, !isDue { return .none }
        if !isSame { rejection = .none }
        stamps = fresh
        isSettled = fresh.allSatisfy { $0?.isSettled(at: now) ?? true }
        do throws(TLSError) {
            return try renew(at: now)
        } catch {
            return doubt(error)
        }
    }

    private mutating func renew(at now: Int64) throws(TLSError) -> Change {
        do throws(TLSError) {
            let found = try Self.read(files)
            guard found != contents else {
                rejection = .none
                return .none
            }
            try take(found, at: now)
            rejection = .none
            return .renewed(context)
        } catch {
            // Not at first sight: the rest of a new version may be on its way.
            guard rejection == .fresh, let found = usable(), found != contents else { throw error }
            try take(found, at: now)
            // The next look, which is due, says what was left out.
            return .renewed(context)
        }
    }

    private mutating func take(_ found: [[UInt8]?], at now: Int64) throws(TLSError) {
        let renewed = try files.context(of: found)
        if let problem = files.problem(of: renewed, at: now) { throw problem }
        contents = found
        context = renewed
    }

    /// What can be used of what the files hold: dispensable ones that are bad stay what they were, if that still goes
    /// with the others. Nil if there is nothing that could be left out.
    private func usable() -> [[UInt8]?]? {
        guard !files.dispensable.isEmpty else { return nil }
        var found: [[UInt8]?] = []
        for path in files.paths { found.append(try? FileContents.read(path)) }
        for index in found.indices where found[index] == nil && !files.dispensable.contains(index) { return nil }
        for index in files.dispensable where !files.isUsable(index, in: found) {
            found[index] = contents[index]
            if !files.isUsable(index, in: found) { found[index] = nil }
        }
        return found
    }

    /// Whoever replaces two files, one after the other, leaves a pair that does not match for a moment.
    private mutating func doubt(_ error: TLSError) -> Change {
        switch rejection {
        case .none:
            rejection = .fresh
            return .none
        case .fresh:
            rejection = .said(0)
            return .refused(error)
        case .said:
            rejection = .said(0)
            return .none
        }
    }

    private var isDue: Bool {
        mutating get {
            switch rejection {
            case .none: return false
            case .fresh: return true
            case .said(let looks):
                rejection = .said(looks + 1)
                return looks >= Self.looksBetweenTries
            }
        }
    }

    private static func read(_ files: Files) throws(TLSError) -> [[UInt8]?] {
        var contents: [[UInt8]?] = []
        for path in files.paths { contents.append(try FileContents.read(path)) }
        return contents
    }
}
