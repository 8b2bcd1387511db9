/// How files that a source includes are found and read. Tests replace it by texts.
package struct SourceFiles {
    /// The bytes of a file; nil if it cannot be read.
    package var read: (_ path: String) -> [UInt8]?
    /// The names in a folder, without those of folders; none if it cannot be listed. "." is the folder of the process.
    package var list: (_ folder: String) -> [String]

    package init(read: @escaping (_ path: String) -> [UInt8]?, list: @escaping (_ folder: String) -> [String]) {
        self.read = read
        self.list = list
    }

    /// No files at all.
    package static var none: SourceFiles { SourceFiles(read: { _ in nil }, list: { _ in [] }) }

    /// Files by their paths.
    package static func texts(_ files: [String: String]) -> SourceFiles {
        SourceFiles(
            read: { files[$0].map { Array($0.utf8) } },
            list: { folder in
                let prefix = folder == "." ? "" : folder + "/"
                return files.keys.filter { $0.hasPrefix(prefix) }.map { String($0.dropFirst(prefix.count)) }
                    .filter { !$0.contains("/") }
            })
    }
}
