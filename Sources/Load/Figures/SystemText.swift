import Glibc

/// What the system says of an errno.
func systemText(_ code: CInt) -> String { String(cString: strerror(code)) }

/// CPU seconds of this process so far, all threads: those of itself, and those of the kernel for it.
func processorSeconds() -> (user: Double, system: Double) {
    var usage = rusage()
    getrusage(CInt(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
    return (seconds(usage.ru_utime), seconds(usage.ru_stime))
}

/// A file of at most 16 MiB, whole.
func fileContents(_ path: String) throws(LoadError) -> [UInt8] {
    guard let file = fopen(path, "rb") else { throw LoadError("\(path): \(systemText(errno))") }
    defer { fclose(file) }
    var contents: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while contents.count < 16_777_216 {
        let count = fread(&block, 1, block.count, file)
        if count == 0 { break }
        contents += block[..<count]
    }
    return contents
}
