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
  description = "MiB of the guest"
}

variable "disk" {
  type        = string
  description = "the same path on every node that may run the VM"
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

    # vmrun has booted the guest again as often as its policy says.  When it ends, this node is done with it.
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

    # A node that lost the cluster stops its VM, and no other starts one meanwhile: two guests on one disk
    # would destroy it.
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

      # The directories of a task are open to all users (mode 0777), and root's vmrun believes no file in them: the
      # shell reads the spec for it, and is replaced by it.
      config {
        command = "/bin/sh"
        args    = ["-c", "exec /usr/local/sbin/vmrun --fix -c- <local/vm.json"]
      }

      # Above the sum of the spec's stop ladder, 75 s without one, and at most the max_kill_timeout of the client.
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

      # raw_exec enforces neither: they are what the scheduler counts.  bhyve needs a little beside the guest's.
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
