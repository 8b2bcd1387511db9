import FoundationEssentials
import Glibc
import Kernel

/// Files with secrets: who may touch them, and how they come into being. All of a file is there, or none of it.
enum SecretFile {
    /// What was read.
    struct Contents {
        let bytes: [UInt8]
        /// When the file was changed last, in seconds since 1970.
        let modifiedAt: Int64
    }

    /// The largest file that is read, in bytes.
    private static let maximumBytes = 1 << 20

    /// Reads the file; nil if there is none. Throws if it cannot be read, if it is not ours, or if others may read or write it
    /// or put another in its place. `what`: what errors call it.
    static func read(_ path: String, _ what: String) throws(StartError) -> Contents? {
        // Without O_NONBLOCK a pipe in the file's place would hold up the start.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            guard errno == ENOENT else { throw failure("read", what, path, errno) }
            return nil
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("read", what, path, errno) }
        guard status.st_mode & S_IFMT != S_IFDIR else { throw failure("read", what, path, EISDIR) }
        if let problem = problem(with: status) { throw StartError("the \(what) \(path) \(problem)") }
        try checkFolders(of: path, what)
        return Contents(bytes: try readAll(descriptor, path, what), modifiedAt: Int64(status.st_mtim.tv_sec))
    }

    private static func readAll(_ descriptor: CInt, _ path: String, _ what: String) throws(StartError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4_096)
        while bytes.count <= maximumBytes {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            guard count >= 0 else { throw failure("read", what, path, errno) }
            if count == 0 { return bytes }
            bytes += chunk[..<count]
        }
        throw failure("read", what, path, EFBIG)
    }

    // MARK: - Who may touch it

    private static func problem(with status: stat) -> String? {
        let mode = status.st_mode & 0o7777
        guard status.st_mode & S_IFMT == S_IFREG else { return "is not a regular file" }
        guard isOurs(status) else {
            return
                "belongs to user \(status.st_uid), who could change it: it must be of root or of the user that runs Berth"
        }
        if mode & 0o022 != 0 { return "can be written by others (mode \(octal(mode))): chmod 600 it" }
        if mode & 0o004 != 0 { return "can be read by everyone (mode \(octal(mode))): chmod 600 it" }
        return nil
    }

    /// Throws if others can put another file in the place of the one at `path`, or of the one that it is a link to.
    private static func checkFolders(of path: String, _ what: String) throws(StartError) {
        var folders = Set([folder(of: path)])
        if let real = realpath(path, nil) {
            folders.insert(folder(of: String(cString: real)))
            free(real)
        }
        for folder in folders.sorted() {
            if let problem = problem(withFolder: folder) {
                throw StartError("the \(what) \(path) is in a folder that \(problem)")
            }
        }
    }

    private static func problem(withFolder folder: String) -> String? {
        guard let real = realpath(folder, nil) else { return nil }
        defer { free(real) }
        var path = String(cString: real)
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        guard isOurs(status) else { return "belongs to user \(status.st_uid), who could change it: \(path)" }
        while true {
            guard stat(path, &status) == 0 else { return nil }
            let mode = status.st_mode & 0o7777
            // In a sticky folder only the owner of a file can put another in its place.
            let isOpen = mode & 0o002 != 0 || mode & 0o020 != 0 && !isMember(of: status.st_gid)
            if isOpen, mode & 0o1000 == 0 { return "others can write (mode \(octal(mode))): \(path)" }
            if path == "/" { return nil }
            path = self.folder(of: path)
        }
    }

    private static func isOurs(_ status: stat) -> Bool { status.st_uid == geteuid() || status.st_uid == 0 }

    private static func isMember(of group: gid_t) -> Bool {
        if group == getegid() { return true }
        var groups = [gid_t](repeating: 0, count: 1_024)
        let count = getgroups(CInt(groups.count), &groups)
        return count > 0 && groups[..<Int(count)].contains(group)
    }

    private static func octal(_ mode: mode_t) -> String { "0" + String(mode, radix: 8) }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    // MARK: - How it comes into being

    /// Makes the file with this text, unless another process is faster. It gets its name when it is complete: processes
    /// that start together all read the same text, and a crash leaves no file without it.
    static func create(_ path: String, _ text: String, _ what: String) throws(StartError) {
        let folder = folder(of: path)
        try? FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        try checkFolders(of: path, what)
        let temporary = temporaryName(path)
        guard try write(text, to: temporary, for: path, what) else { throw failure("make", what, path, EEXIST) }
        let hasName = link(temporary, path) == 0 || errno == EEXIST
        unlink(temporary)
        // On a file system without hard links it gets its name first.
        if !hasName { _ = try write(text, to: path, for: path, what) }
    }

    /// Puts a new version with this text in the file's place, in one step.
    static func replace(_ path: String, _ text: String, _ what: String) throws(StartError) {
        let temporary = temporaryName(path)
        guard try write(text, to: temporary, for: path, what) else { throw failure("make", what, path, EEXIST) }
        guard rename(temporary, path) == 0 else {
            let code = errno
            unlink(temporary)
            throw failure("write", what, path, code)
        }
    }

    private static func temporaryName(_ path: String) -> String { "\(path).\(UInt64.random(in: 0 ... .max))" }

    /// Makes a file with this text, for its owner only (mode 0600). False if there is one.
    private static func write(
        _ text: String, to file: String, for path: String, _ what: String
    ) throws(StartError) -> Bool {
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            guard errno == EEXIST else { throw failure("make", what, path, errno) }
            return false
        }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            let code = errno
            unlink(file)
            throw failure("write", what, path, code)
        }
        return true
    }

    private static func failure(_ action: String, _ what: String, _ path: String, _ code: CInt) -> StartError {
        StartError("cannot \(action) the \(what) \(path): \(String(cString: strerror(code)))")
    }
}
