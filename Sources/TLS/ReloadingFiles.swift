import Kernel

/// The files that a context is made of, and how to make it.
package protocol ReloadableFiles: Sendable {
    /// The context made of the files.
    associatedtype Context: Sendable

    /// The path of every file, in the order in which `context(of:)` takes their contents.
    var paths: [String] { get }

    /// The indices in `paths` of optional files. An optional file that cannot be used does not block the others.
    var optionalFiles: Range<Int> { get }

    /// Makes a context of the contents of `paths`. Nil stands for an optional file that cannot be used.
    func context(of contents: [[UInt8]?]) throws(TLSError) -> Context

    /// Says why a context is not valid at `now` (seconds since 1970); nil if it is valid.
    func problem(of context: Context, at now: Int64) -> TLSError?

    /// Whether the optional file at `index` can be used together with the other files' contents.
    func isUsable(_ index: Int, in contents: [[UInt8]?]) -> Bool
}

extension ReloadableFiles {
    /// No file is optional.
    package var optionalFiles: Range<Int> { 0..<0 }

    /// Never called where no file is optional.
    package func isUsable(_ index: Int, in contents: [[UInt8]?]) -> Bool { false }
}

/// A server's context and its files.
package typealias ReloadingTLS = ReloadingFiles<TLSFiles>
/// A client's context and its files.
package typealias ReloadingClientTLS = ReloadingFiles<TLSClientFiles>

/// A context and the files it was made of. `check(at:)` makes a new context after the files have changed.
package struct ReloadingFiles<Files: ReloadableFiles>: Sendable {
    /// The result of a check.
    package enum Change: Sendable {
        /// The files are unchanged, or a change is not yet reported.
        case none
        /// The files have changed and the new context is valid.
        case renewed(Files.Context)
        /// The files have changed but cannot be used; the previous context stays in use. Reported once for each version
        /// of the files.
        case refused(TLSError)
    }

    /// The files that are watched.
    package let files: Files
    /// The last valid context.
    package private(set) var context: Files.Context
    /// The file contents that `context` was made of.
    private var contents: [[UInt8]?]
    private var stamps: [FileStamp?]
    private var isSettled = false
    private var rejection = RejectionState.none

    /// How often a version of the files that cannot be used has been seen, and whether that was reported.
    private enum RejectionState: Equatable {
        case none
        /// Seen in one check; the files may still be being written.
        case seenOnce
        /// Reported. The value counts the checks since then.
        case reported(Int)
    }

    /// The number of checks between two attempts to load a version that was refused. A certificate that is not valid
    /// yet becomes valid without a change of its file.
    private static var checksBetweenRetries: Int { 120 }

    /// Whether both were made of the same files with the same contents.
    package func isSame(as other: Self) -> Bool where Files: Equatable {
        files == other.files && contents == other.contents
    }

    /// Reads the files. Throws if no context can be made of them. Does not check whether they are valid now.
    package init(_ files: Files) throws(TLSError) {
        self.files = files
        stamps = files.paths.map { FileStamp($0) }
        contents = try Self.read(files)
        context = try files.context(of: contents)
    }

    /// Checks the files for changes and reloads them if there are any. Without a change it costs one `stat` for each
    /// file. `now` is in seconds since 1970.
    package mutating func check(at now: Int64) -> Change {
        // The stamps are taken before the files are read, so that the next check sees a change made in between.
        let fresh = files.paths.map { FileStamp($0) }
        let isSame = fresh == stamps
        if isSame, isSettled, !isRetryDue() { return .none }
        if !isSame { rejection = .none }
        stamps = fresh
        isSettled = fresh.allSatisfy { $0?.isSettled(at: now) ?? true }
        do throws(TLSError) {
            return try reload(at: now)
        } catch {
            return handleFailure(error)
        }
    }

    private mutating func reload(at now: Int64) throws(TLSError) -> Change {
        do throws(TLSError) {
            let found = try Self.read(files)
            guard found != contents else {
                rejection = .none
                return .none
            }
            try replaceContext(with: found, at: now)
            rejection = .none
            return .renewed(context)
        } catch {
            // Not at the first check: the remaining files of a new version may still be being written.
            guard rejection == .seenOnce, let found = usableContents(), found != contents else { throw error }
            try replaceContext(with: found, at: now)
            // `rejection` stays `.seenOnce`, so the next check tries again and reports the file that was left out.
            return .renewed(context)
        }
    }

    private mutating func replaceContext(with found: [[UInt8]?], at now: Int64) throws(TLSError) {
        let renewed = try files.context(of: found)
        if let problem = files.problem(of: renewed, at: now) { throw problem }
        contents = found
        context = renewed
    }

    /// The usable part of the files' contents. For an optional file that cannot be used the previous content is taken,
    /// if that can be used with the other files, else none. Nil if a required file cannot be read or none is optional.
    private func usableContents() -> [[UInt8]?]? {
        guard !files.optionalFiles.isEmpty else { return nil }
        var found: [[UInt8]?] = []
        for path in files.paths { found.append(try? FileContents.read(path)) }
        for index in found.indices where found[index] == nil && !files.optionalFiles.contains(index) { return nil }
        for index in files.optionalFiles where !files.isUsable(index, in: found) {
            found[index] = contents[index]
            if !files.isUsable(index, in: found) { found[index] = nil }
        }
        return found
    }

    /// Reports a failure at the second check that sees it. An operator who replaces two files one after the other
    /// leaves a pair that does not match for a moment.
    private mutating func handleFailure(_ error: TLSError) -> Change {
        switch rejection {
        case .none:
            rejection = .seenOnce
            return .none
        case .seenOnce:
            rejection = .reported(0)
            return .refused(error)
        case .reported:
            rejection = .reported(0)
            return .none
        }
    }

    /// Whether files that could not be used are to be tried again. Counts this check.
    private mutating func isRetryDue() -> Bool {
        switch rejection {
        case .none: return false
        case .seenOnce: return true
        case .reported(let checks):
            rejection = .reported(checks + 1)
            return checks >= Self.checksBetweenRetries
        }
    }

    private static func read(_ files: Files) throws(TLSError) -> [[UInt8]?] {
        var contents: [[UInt8]?] = []
        for path in files.paths { contents.append(try FileContents.read(path)) }
        return contents
    }
}
