import Glibc

/// Paths in a configuration file.
enum FilePath {
    /// Resolves a relative path against the folder of the file that names it.
    static func resolve(_ path: String, besides file: String) -> String {
        guard !path.hasPrefix("/"), let slash = file.lastIndex(of: "/") else { return path }
        return "\(file[...slash])\(path)"
    }

    static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Why this process cannot read the file, or nil.
    static func problem(reading path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return String(cString: strerror(errno)) }
        guard status.st_mode & S_IFMT != S_IFDIR else { return "it is a folder" }
        guard access(path, R_OK) == 0 else { return String(cString: strerror(errno)) }
        return nil
    }

    /// Why this process cannot open files in a folder, or nil.
    static func problem(listing path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else { return String(cString: strerror(errno)) }
        guard status.st_mode & S_IFMT == S_IFDIR else { return "it is no folder" }
        return access(path, X_OK) == 0 ? nil : String(cString: strerror(errno))
    }

    /// The longest path of a Unix socket, in bytes (unix(7)).
    static let longestSocketPath = MemoryLayout.size(ofValue: sockaddr_un().sun_path) - 1

    static func exists(_ path: String) -> Bool {
        access(path, F_OK) == 0
    }

    /// Why this process cannot append to a file, or make it; nil if it can.
    static func problem(appendingTo path: String) -> String? {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return canWrite(in: folder(of: path)) ? nil : "this process cannot write to the folder \(folder(of: path))"
        }
        guard status.st_mode & S_IFMT != S_IFDIR else { return "it is a folder" }
        return access(path, W_OK) == 0 ? nil : String(cString: strerror(errno))
    }

    /// Whether this process may create a file in the folder.
    static func canWrite(in folder: String) -> Bool {
        access(folder, W_OK | X_OK) == 0
    }
}
