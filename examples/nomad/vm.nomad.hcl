# A VM on a cluster: README.md explains every line.
#
#	nomad job plan -var disk=/net/vm/web.img vm.nomad.hcl
#	nomad job run -var disk=/net/vm/web.img vm.nomad.hcl

variable "name" {
  type    = string
  default = "web"
}

variable "cpus" {
  type    = number
  default = 2
}

variable "mem" {
  type        = number
  default     = 2048
  description = "memory of the guest in MiB"
}

variable "disk" {
  type        = string
  description = "disk of the guest, under the same path on every node that may run the VM"
}

variable "bridge" {
  type    = string
  default = "bridge0"
}

job "vm-web" {
  datacenters = ["*"]
  type        = "service"

  constraint {
    attribute = "${attr.kernel.name}"
    value     = "freebsd"
  }

  group "vm" {
    count = 1

    network {
      port "vnc" {}
    }

    # vmrun itself boots the guest again, as often as its policy allows.  When vmrun ends, do not retry on this node.
    restart {
      attempts = 0
      mode     = "fail"
    }

    reschedule {
      attempts       = 5
      interval       = "1h"
      delay          = "30s"
      delay_function = "exponential"
      max_delay      = "10m"
      unlimited      = false
    }

    # A node that has lost the cluster stops its VM before another node starts one: two guests on one disk would
    # destroy it.
    disconnect {
      stop_on_client_after = "2m"
    }

    service {
      name     = var.name
      provider = "consul"
      port     = "vnc"

      check {
        name     = "supervised"
        type     = "script"
        task     = "vmrun"
        command  = "/usr/local/sbin/vmrunctl"
        args     = [var.name, "status"]
        interval = "30s"
        timeout  = "5s"
      }
    }

    task "vmrun" {
      driver = "raw_exec"

      # The directories of a task have mode 0777, so vmrun, as root, refuses files in them.  Therefore the shell opens
      # the spec and executes vmrun in its place.
      config {
        command = "/bin/sh"
        args    = ["-c", "exec /usr/local/sbin/vmrun --fix -c- <local/vm.json"]
      }

      # Longer than the waits of the spec's `stop` together (default 75 s), at most max_kill_timeout of the client.
      kill_signal  = "SIGTERM"
      kill_timeout = "90s"

      template {
        destination = "local/vm.json"
        change_mode = "noop"
        data        = <<-SPEC
          {
            "name": "${var.name}",
            "cpu": ${var.cpus},
            "mem": "${var.mem}M",
            "com1": "stdio",
            "graphic": {
              "host": "{{ env "NOMAD_IP_vnc" }}",
              "port": {{ env "NOMAD_PORT_vnc" }},
              "password_file": "{{ env "NOMAD_SECRETS_DIR" }}/vnc"
            },
            "emulations": [
              { "device": "virtio-blk", "path": "${var.disk}" },
              { "device": "virtio-net", "bridge": "${var.bridge}" }
            ]
          }
        SPEC
      }

      template {
        destination = "secrets/vnc"
        perms       = "600"
        change_mode = "noop"
        data        = "{{ with nomadVar \"nomad/jobs/vm-web\" }}{{ .vnc_password }}{{ end }}"
      }

      # raw_exec does not enforce these values; the scheduler counts them.  bhyve needs some memory beside the guest's.
      resources {
        cpu    = 1000 * var.cpus
        memory = var.mem + 128
      }

      logs {
        max_files     = 5
        max_file_size = 10
      }
    }
  }
}
